import type { ServerResponse } from 'node:http';
import { writeEventStream } from '../sse.ts';

/** Messages in order, and a way to say that nobody reads them any more. */
export type EventSource = AsyncIterable<string> & { end(): void };

/** Writes messages as server-sent events until they end or the client leaves. */
export async function writeEvents(
  response: ServerResponse,
  messages: EventSource,
  headers: Record<string, string>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
    messages.end();
  });
  await writeEventStream(response, eventsOf(messages), {
    headers: { 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no', ...headers },
    signal: gone.signal,
  });
}

async function* eventsOf(messages: AsyncIterable<string>): AsyncIterable<string> {
  for await (const message of messages) yield eventOf(message);
}

/** A carriage return ends a line in SSE; in JSON text it can only be white space between tokens. */
export function eventOf(message: string): string {
  return `event: message\ndata: ${message.includes('\r') ? message.replaceAll('\r', ' ') : message}\n\n`;
}
