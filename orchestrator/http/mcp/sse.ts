import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Proxies cut idle connections after 30 to 60 s; a comment is ignored by every client. */
const KEEP_ALIVE_MS = 15_000;

/** A message, or one that says more about itself. */
export type Event =
  | string
  | { readonly data: string; readonly id?: string; readonly event?: string; readonly retryMs?: number };

/** Events in order, and a way to say that nobody reads them any more. */
export type EventSource = AsyncIterable<Event> & { end(): void };

/**
 * Writes server-sent events until they end or the client leaves. Waits for a slow client here, so that only its
 * own queue grows.
 */
export async function writeEvents(
  response: ServerResponse,
  events: EventSource,
  headers: Record<string, string>,
): Promise<void> {
  if (response.destroyed) return events.end(); // the client left before there was anything to write
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
    events.end();
  });
  const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of events) {
      if (gone.signal.aborted) break;
      if (!response.write(textOf(event))) await once(response, 'drain', { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error; // the client left while we waited for it: nothing to tell anybody
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
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
