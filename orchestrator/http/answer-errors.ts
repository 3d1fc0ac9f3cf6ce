import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { type Facts, GantryError, messageOf } from '../kernel/index.ts';
import { mcpError, restError } from './error-map.ts';
import { type Exchange, isMcpPath, JSON_TYPE, pathOf, type RequestState, stateOf } from './request-state.ts';

/**
 * How long the rest of a refused body is read and thrown away. Closing at once while the client still sends
 * makes its kernel discard our answer (a reset overtakes it).
 */
const LINGER_MS = 1_000;
/** What a client may have on its way when the answer reaches it; a body without end is not read for longer. */
const LINGER_BYTES = 8 * 1024 * 1024;

/** Turns whatever is thrown further in into the answer that docs/api.md promises. */
export function answerErrors(facts: Facts): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      ctx.respond = false;
      await answerFailure(facts, ctx, stateOf(ctx), error);
    }
  };
}

/** The one way in which a request fails, whoever was handling it. Never rejects. */
export async function answerFailure(
  facts: Facts,
  exchange: Exchange,
  state: RequestState,
  error: unknown,
): Promise<void> {
  const { req, res } = exchange;
  if (!(error instanceof GantryError)) {
    const where = `http ${req.method} ${state.route ?? 'unmatched'}`;
    facts.state({ type: 'trouble', where, message: messageOf(error) });
  }
  // Half an answer is out: cutting it off is the only way left to say that it is not whole.
  if (res.headersSent || res.destroyed) return void res.destroy();
  const { status, headers, body } = isMcpPath(pathOf(req))
    ? mcpError(error, state.rpcId ?? null)
    : restError(error);
  const text = JSON.stringify(body);
  for (const name of res.getHeaderNames()) if (name !== 'connection') res.removeHeader(name);
  const all = { ...headers, 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(text) };
  if (req.complete) return void res.writeHead(status, all).end(text);
  res.writeHead(status, { ...all, Connection: 'close' });
  // The client is still sending: answer now, swallow a little of the rest, then hang up. The bytes go out with write;
  // `end` would make Node destroy the socket as soon as they are flushed.
  res.write(text);
  await swallow(req, LINGER_MS);
  res.end();
}

function swallow(request: IncomingMessage, lingerMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, lingerMs);
    let swallowed = 0;
    request.once('end', done).once('close', done);
    request.on('data', (chunk: Buffer) => {
      swallowed += chunk.length;
      // No more is read, but the connection stays: a reset now would overtake the answer.
      if (swallowed > LINGER_BYTES) request.pause();
    });
    request.resume();
  });
}
