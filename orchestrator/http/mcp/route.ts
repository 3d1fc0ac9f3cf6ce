import type { Context, Middleware } from 'koa';
import { elementTexts, GantryError } from '../../kernel/index.ts';
import {
  encodeOutcome,
  idOf,
  type Reply,
  readBatch,
  readClientMessage,
  type Sender,
  type Sessions,
} from '../../session/index.ts';
import { readJson } from '../body.ts';
import { clientGone, stateOf } from '../request-state.ts';
import { checkPostAccept, checkStreamAccept } from './accept.ts';
import { writeEvents } from './sse.ts';
import { checkVersion } from './version.ts';

export type McpRouteOptions = {
  readonly sessions: Sessions;
  readonly maxBodyBytes: number;
  /** Throws server_not_found, so that a wrong name is told before anything is read. */
  readonly checkServer: (server: string) => void;
};

/**
 * `/mcp/{server}`: Streamable HTTP for the revisions with sessions (MCP 2025-03-26 to 2025-11-25). Every check
 * is made before a container hears of the request.
 */
export function mcpRoute(options: McpRouteOptions): Middleware {
  return async (ctx) => {
    const server = (ctx.params as { server?: string }).server ?? '';
    options.checkServer(server);
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
  { sessions, maxBodyBytes }: McpRouteOptions,
): Promise<void> {
  checkPostAccept(ctx.get('Accept'));
  const { text, value } = await readJson(ctx, { maxBytes: maxBodyBytes });
  if (Array.isArray(value)) return postBatch(ctx, server, sessions, text, value);
  stateOf(ctx).rpcId = idOf(value); // whatever goes wrong from here on is answered to that request
  const message = readClientMessage(text, value);
  const isInitialize = message.kind === 'request' && message.method === 'initialize';
  if (!isInitialize) checkVersion(ctx);
  const reply = await sessions.take(senderOf(ctx, server), message, clientGone(ctx));
  await send(ctx, reply, message.kind === 'request' ? message.id : null);
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

function senderOf(ctx: Context, server: string): Sender {
  const sessionId = ctx.get('Mcp-Session-Id');
  return {
    server,
    principal: stateOf(ctx).caller?.principal ?? 'anonymous',
    sessionId: sessionId === '' ? null : sessionId,
  };
}
