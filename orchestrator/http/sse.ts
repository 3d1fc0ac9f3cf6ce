import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';

/** Proxies and browsers drop a connection that is silent for 30 to 60 s; a comment is no event. */
const KEEP_ALIVE_MS = 15_000;

/**
 * Writes events, which are complete with their empty line, until they end or `signal` aborts. A slow reader holds
 * them back here: only their own source grows, not what is kept for the connection.
 */
export async function writeEventStream(
  response: ServerResponse,
  events: AsyncIterable<string>,
  { headers, signal }: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', ...headers });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      if (!response.write(event)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    // Leaving is a usual end, however the source or the wait for the reader reports it.
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(keepAlive);
    response.end();
  }
}

/** Sends every item as one `data:` event until the items end or `signal` aborts. */
export async function sendEvents(
  ctx: Context,
  items: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  ctx.respond = false;
  const headers = { 'Cache-Control': 'no-store' };
  // A HEAD is told what a GET would be, and that is all.
  const events = ctx.method === 'HEAD' ? nothing() : dataEvents(items);
  await writeEventStream(ctx.res, events, { headers, signal });
}

async function* dataEvents(items: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const item of items) yield `data: ${JSON.stringify(item)}\n\n`;
}

async function* nothing(): AsyncIterable<string> {
  // Ends at once.
}
