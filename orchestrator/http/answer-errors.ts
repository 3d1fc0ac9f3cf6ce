import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { type Facts, GantryError, messageOf } from '../kernel/index.ts';
import { type ErrorAnswer, mcpError, restError } from './error-map.ts';
import { isMcpPath, stateOf } from './request-state.ts';

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
      if (!(error instanceof GantryError)) {
        const where = `http ${ctx.method} ${stateOf(ctx).route ?? 'unmatched'}`;
        facts.state({ type: 'trouble', where, message: messageOf(error) });
      }
      if (ctx.res.headersSent || ctx.res.destroyed) {
        // Half an answer is out: cutting it off is the only way left to say that it is not whole.
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      const answer = isMcpPath(ctx.path) ? mcpError(error, stateOf(ctx).rpcId ?? null) : restError(error);
      if (ctx.req.complete) {
        ctx.status = answer.status;
        ctx.set(answer.headers);
        ctx.body = answer.body;
      } else {
        await answerBeforeBodyEnds(ctx, answer);
      }
    }
  };
}

/** The client is still sending: answer now, swallow a little of the rest, then hang up. */
async function answerBeforeBodyEnds(ctx: Context, answer: ErrorAnswer): Promise<void> {
  ctx.respond = false;
  const text = JSON.stringify(answer.body);
  ctx.res.writeHead(answer.status, {
    ...answer.headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  });
  // The bytes go out with write; `end` would make Node destroy the socket as soon as they are flushed.
  ctx.res.write(text);
  await swallow(ctx.req, LINGER_MS);
  ctx.res.end();
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
