import type { ServerResponse } from 'node:http';
import { writeEventStream } from '../sse.ts';

/** A message, or one that says more about itself. */
export type Event =
  | string
  | { readonly data: string; readonly id?: string; readonly event?: string; readonly retryMs?: number };

/** Events in order, and a way to say that nobody reads them any more. */
export type EventSource = AsyncIterable<Event> & { end(): void };

/** Writes events until they end or the client leaves. */
export async function writeEvents(
  response: ServerResponse,
  events: EventSource,
  headers: Record<string, string>,
): Promise<void> {
  if (response.destroyed) return events.end(); // the client left before there was anything to write
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
    events.end();
  });
  await writeEventStream(response, textsOf(events), {
    headers: { 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no', ...headers },
    signal: gone.signal,
  });
}

async function* textsOf(events: AsyncIterable<Event>): AsyncIterable<string> {
  for await (const event of events) yield textOf(event);
}

/** An event as it is written. One without data is no message: it only tells its id. */
export function textOf(event: Event): string {
  const {
    data,
    id,
    event: type,
    retryMs,
  }: Exclude<Event, string> = typeof event === 'string' ? { data: event } : event;
  return [
    data === '' ? '' : `event: ${type ?? 'message'}\n`,
    id === undefined ? '' : `id: ${id}\n`,
    retryMs === undefined ? '' : `retry: ${retryMs}\n`,
    // A carriage return ends a line in SSE; in JSON text it can only be white space between tokens.
    `data: ${data.includes('\r') ? data.replaceAll('\r', ' ') : data}\n\n`,
  ].join('');
}
