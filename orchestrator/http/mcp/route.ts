import type { Context, Middleware } from 'koa';
import { elementTexts, GantryError } from '../../kernel/index.ts';
import {
  encodeOutcome,
  eraOf,
  idOf,
  type Reply,
  readBatch,
  readClientMessage,
  type Sender,
  type Sessions,
  type StatelessCalls,
  type StatelessReply,
} from '../../session/index.ts';
import { readJson } from '../body.ts';
import { modernStatusOf } from '../error-map.ts';
import { clientGone, stateOf } from '../request-state.ts';
import { checkPostAccept, checkStreamAccept } from './accept.ts';
import { writeEvents } from './sse.ts';
import { withTraceContext } from './trace-context.ts';
import { checkVersion } from './version.ts';

export type McpRouteOptions = {
  readonly sessions: Sessions;
  readonly stateless: Pick<StatelessCalls, 'take'>;
  readonly maxBodyBytes: number;
  /** Throws server_not_found, so that a wrong name is told before anything is read. */
  readonly checkServer: (server: string) => void;
};

/**
 * `/mcp/{server}`: Streamable HTTP for the revisions with sessions (MCP 2025-03-26 to 2025-11-25) and for the one
 * without (2026-07-28), which has POST only. Every check is made before a container hears of the request.
 */
export function mcpRoute(options: McpRouteOptions): Middleware {
  return async (ctx) => {
    const server = (ctx.params as { server?: string }).server ?? '';
    options.checkServer(server);
    if (ctx.method !== 'POST' && eraOf(versionOf(ctx), null) === 'modern') {
      throw new GantryError('method_not_allowed', 'This revision of MCP uses POST only.', {
        detail: { allow: ['POST'] },
      });
    }
    switch (ctx.method) {
      case 'POST':
        return post(ctx, server, options);
      case 'GET':
        return get(ctx, server, options);
      case 'DELETE':
        checkVersion(ctx);
        options.sessions.end(senderOf(ctx, server));
        ctx.status = 204;
        return;
      default:
        throw new GantryError('method_not_allowed', 'Use POST, GET or DELETE here.', {
          detail: { allow: ['POST', 'GET', 'DELETE'] },
        });
    }
  };
}

async function post(
  ctx: Context,
  server: string,
  { sessions, stateless, maxBodyBytes }: McpRouteOptions,
): Promise<void> {
  checkPostAccept(ctx.get('Accept'));
  const { text, value } = await readJson(ctx, { maxBytes: maxBodyBytes });
  if (Array.isArray(value)) return postBatch(ctx, server, sessions, text, value);
  stateOf(ctx).rpcId = idOf(value); // whatever goes wrong from here on is answered to that request
  const headerOf = (name: string): string | null => ctx.get(name) || null;
  const message = withTraceContext(readClientMessage(text, value), headerOf);
  const id = message.kind === 'request' ? message.id : null;
  if (eraOf(versionOf(ctx), value) === 'modern') {
    const { principal } = senderOf(ctx, server);
    const reply = await stateless.take({ server, principal }, message, headerOf, clientGone(ctx));
    return sendModern(ctx, reply, id);
  }
  const isInitialize = message.kind === 'request' && message.method === 'initialize';
  if (!isInitialize) checkVersion(ctx);
  const reply = await sessions.take(senderOf(ctx, server), message, clientGone(ctx));
  await send(ctx, reply, id);
}

/** An array of messages, which only one revision has. */
async function postBatch(
  ctx: Context,
  server: string,
  sessions: Sessions,
  text: string,
  values: readonly unknown[],
): Promise<void> {
  checkVersion(ctx);
  const sender = senderOf(ctx, server);
  sessions.checkBatch(sender);
  const messages = readBatch(elementTexts(text), values);
  await send(ctx, await sessions.takeBatch(sender, messages), null);
}

async function get(ctx: Context, server: string, { sessions }: McpRouteOptions): Promise<void> {
  checkStreamAccept(ctx.get('Accept'));
  checkVersion(ctx);
  const sender = senderOf(ctx, server);
  const lastEventId = ctx.get('Last-Event-ID');
  const stream = lastEventId === '' ? sessions.listen(sender) : await sessions.resume(sender, lastEventId);
  if (stream === null) {
    ctx.status = 204; // the word of server-sent events for "do not come back"
    return;
  }
  ctx.respond = false;
  await writeEvents(ctx.res, stream, {});
}

async function send(ctx: Context, reply: Reply, id: string | number | null): Promise<void> {
  if (reply.kind === 'accepted') {
    ctx.status = 202;
    return;
  }
  if (reply.kind === 'stream') {
    ctx.respond = false;
    return writeEvents(ctx.res, reply.stream, {});
  }
  if (reply.sessionId !== null) ctx.set('Mcp-Session-Id', reply.sessionId);
  ctx.type = 'application/json';
  if (reply.kind === 'list') {
    ctx.body = `[${reply.answers.join(',')}]`;
    return;
  }
  ctx.body = encodeOutcome(id ?? 0, reply.outcome);
}

/** Some errors of a server have a status of their own in this revision. */
async function sendModern(ctx: Context, reply: StatelessReply, id: string | number | null): Promise<void> {
  await send(ctx, reply.kind === 'accepted' ? reply : { ...reply, sessionId: null }, id);
  if (reply.kind === 'json' && !reply.outcome.ok) ctx.status = modernStatusOf(reply.outcome.error.code);
}

function versionOf(ctx: Context): string | null {
  return ctx.get('MCP-Protocol-Version') || null;
}

function senderOf(ctx: Context, server: string): Sender {
  const sessionId = ctx.get('Mcp-Session-Id');
  return {
    server,
    principal: stateOf(ctx).caller?.principal ?? 'anonymous',
    sessionId: sessionId === '' ? null : sessionId,
  };
}
