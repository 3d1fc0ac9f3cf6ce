import type { Context, Middleware } from 'koa';
import { ANONYMOUS, GantryError } from '../../kernel/index.ts';
import { idOf, readClientMessage, type SseOwner, type SseSessions } from '../../session/index.ts';
import { readJson } from '../body.ts';
import { stateOf } from '../request-state.ts';
import { checkStreamAccept } from './accept.ts';
import { writeEvents } from './sse.ts';
import { checkVersion } from './version.ts';

export type SseRouteOptions = {
  readonly sseSessions: SseSessions;
  readonly maxBodyBytes: number;
  /** Throws server_not_found, so that a wrong name is told before anything is read. */
  readonly checkServer: (server: string) => void;
};

/**
 * `/sse/{server}` and `/messages/{server}`: the transport of 2024-11-05. Deprecated since 2025-03-26, and still
 * what some clients speak.
 */
export function sseRoute(options: SseRouteOptions): Middleware {
  return async (ctx) => {
    const server = (ctx.params as { server?: string }).server ?? '';
    options.checkServer(server);
    checkVersion(ctx.get('MCP-Protocol-Version') || null);
    const owner = { server, principal: stateOf(ctx).caller?.principal ?? ANONYMOUS };
    return ctx.method === 'GET' ? stream(ctx, owner, options) : message(ctx, owner, options);
  };
}

async function stream(ctx: Context, owner: SseOwner, { sseSessions }: SseRouteOptions): Promise<void> {
  checkStreamAccept(ctx.get('Accept'));
  const session = sseSessions.open(owner, (id) => `/messages/${owner.server}?sessionId=${id}`);
  ctx.respond = false;
  try {
    await writeEvents(ctx.res, session.stream, {});
  } finally {
    sseSessions.end(session);
  }
}

async function message(ctx: Context, owner: SseOwner, options: SseRouteOptions): Promise<void> {
  const { sessionId } = ctx.query;
  if (typeof sessionId !== 'string' || sessionId === '') {
    throw new GantryError(
      'invalid_request',
      'Post to the address that the stream named: it carries one sessionId.',
    );
  }
  const { value } = await readJson(ctx, { maxBytes: options.maxBodyBytes });
  stateOf(ctx).rpcId = idOf(value); // whatever goes wrong from here on is answered to that request
  await options.sseSessions.take(owner, sessionId, readClientMessage(null, value));
  ctx.status = 202;
}
