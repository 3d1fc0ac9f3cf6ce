import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Proxies cut idle connections after 30 to 60 s; a comment is ignored by every client. */
const KEEP_ALIVE_MS = 15_000;

/** Messages in order, and a way to say that nobody reads them any more. */
export type EventSource = AsyncIterable<string> & { end(): void };

/**
 * Writes messages as server-sent events until they end or the client leaves. Waits for a slow client here, so
 * that only its own queue grows.
 */
export async function writeEvents(
  response: ServerResponse,
  messages: EventSource,
  headers: Record<string, string>,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
    messages.end();
  });
  const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const message of messages) {
      if (gone.signal.aborted) break;
      if (!response.write(eventOf(message))) await once(response, 'drain', { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error; // the client left while we waited for it: nothing to tell anybody
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
}

/** A carriage return ends a line in SSE; in JSON text it can only be white space between tokens. */
export function eventOf(message: string): string {
  return `event: message\ndata: ${message.includes('\r') ? message.replaceAll('\r', ' ') : message}\n\n`;
}
