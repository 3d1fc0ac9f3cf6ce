import { once } from 'node:events';
import type { Context } from 'koa';

/** Proxies and browsers drop a connection that is silent for a minute or so; a comment is no event. */
const KEEP_ALIVE_MS = 15_000;

/**
 * Sends every item as one `data:` event until the items end or `signal` aborts. A slow reader holds the items
 * back, not our memory.
 */
export async function sendEvents(
  ctx: Context,
  events: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { res } = ctx;
  ctx.respond = false;
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  res.flushHeaders();
  if (ctx.method === 'HEAD') {
    res.end();
    return;
  }
  const keepAlive = setInterval(() => res.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of events) {
      const hasRoom = res.write(`data: ${JSON.stringify(event)}\n\n`);
      if (!hasRoom) await once(res, 'drain', { signal });
      if (signal.aborted) break;
    }
  } catch (error) {
    // Leaving is the usual end of following a log, however the iterator reports it.
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(keepAlive);
  }
  res.end();
}
