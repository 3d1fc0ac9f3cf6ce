import { elementTexts, GantryError, type JsonRpcId } from '../../kernel/index.ts';
import {
  eraOf,
  idOf,
  type Reply,
  readBatch,
  readClientMessage,
  type Sender,
  type Sessions,
  type StatelessCalls,
} from '../../session/index.ts';
import { readJson } from '../body.ts';
import { modernStatusOf } from '../error-map.ts';
import { clientGone } from '../request-state.ts';
import { checkPostAccept, checkStreamAccept } from './accept.ts';
import { headerOf, type McpHandler, type McpRequest } from './handler.ts';
import { writeEvents } from './sse.ts';
import { withTraceContext } from './trace-context.ts';
import { checkVersion } from './version.ts';
import { writeOutcome, writeText } from './write.ts';

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
export function mcpRoute(options: McpRouteOptions): McpHandler {
  return (request) => {
    const { req, res, server } = request;
    options.checkServer(server);
    if (req.method !== 'POST' && eraOf(versionOf(request), null) === 'modern') {
      throw new GantryError('method_not_allowed', 'This revision of MCP uses POST only.', {
        detail: { allow: ['POST'] },
      });
    }
    switch (req.method) {
      case 'POST':
        return post(request, options);
      case 'GET':
        return get(request, options);
      case 'DELETE':
        checkVersion(versionOf(request));
        options.sessions.end(senderOf(request));
        res.writeHead(204).end();
        return Promise.resolve();
      default:
        throw new GantryError('method_not_allowed', 'Use POST, GET or DELETE here.', {
          detail: { allow: ['POST', 'GET', 'DELETE'] },
        });
    }
  };
}

async function post(request: McpRequest, options: McpRouteOptions): Promise<void> {
  const { sessions, stateless, maxBodyBytes } = options;
  checkPostAccept(request.req.headers.accept);
  const { text, value } = await readJson(request, { maxBytes: maxBodyBytes });
  if (Array.isArray(value)) return postBatch(request, sessions, text, value);
  request.state.rpcId = idOf(value); // whatever goes wrong from here on is answered to that request
  const header = (name: string): string | null => headerOf(request, name.toLowerCase());
  const message = withTraceContext(readClientMessage(null, value), header);
  const id = message.kind === 'request' ? message.id : null;
  const version = versionOf(request);
  if (eraOf(version, value) === 'modern') {
    const { server, principal } = request;
    const reply = await stateless.take({ server, principal }, message, header, clientGone(request));
    const isError = reply.kind === 'json' && !reply.outcome.ok;
    // Some errors of a server have a status of their own in this revision.
    const status = isError ? modernStatusOf(reply.outcome.error.code) : 200;
    return send(request, reply.kind === 'accepted' ? reply : { ...reply, sessionId: null }, id, status);
  }
  const isInitialize = message.kind === 'request' && message.method === 'initialize';
  if (!isInitialize) checkVersion(version);
  return send(request, await sessions.take(senderOf(request), message, () => clientGone(request)), id);
}

/** An array of messages, which only one revision has. */
async function postBatch(
  request: McpRequest,
  sessions: Sessions,
  text: string,
  values: readonly unknown[],
): Promise<void> {
  checkVersion(versionOf(request));
  const sender = senderOf(request);
  sessions.checkBatch(sender);
  const messages = readBatch(elementTexts(text), values);
  return send(request, await sessions.takeBatch(sender, messages), null);
}

async function get(request: McpRequest, { sessions }: McpRouteOptions): Promise<void> {
  checkStreamAccept(request.req.headers.accept);
  checkVersion(versionOf(request));
  const sender = senderOf(request);
  const lastEventId = headerOf(request, 'last-event-id');
  const stream = lastEventId === null ? sessions.listen(sender) : await sessions.resume(sender, lastEventId);
  // 204 is the word of server-sent events for "do not come back".
  if (stream === null) return void request.res.writeHead(204).end();
  await writeEvents(request.res, stream, {});
}

/** @returns a promise only where there is something to wait for: a call pays for each that it makes */
function send(
  { res }: McpRequest,
  reply: Reply,
  id: JsonRpcId | null,
  status = 200,
): Promise<void> | undefined {
  switch (reply.kind) {
    case 'accepted':
      res.writeHead(202).end();
      return undefined;
    case 'stream':
      return writeEvents(res, reply.stream, {});
    case 'list':
      writeText(res, `[${reply.answers.join(',')}]`, { status, sessionId: reply.sessionId });
      return undefined;
    case 'json':
      writeOutcome(res, id ?? 0, reply.outcome, { status, sessionId: reply.sessionId });
      return undefined;
  }
}

function versionOf(request: McpRequest): string | null {
  return headerOf(request, 'mcp-protocol-version');
}

function senderOf(request: McpRequest): Sender {
  const { server, principal } = request;
  return { server, principal, sessionId: headerOf(request, 'mcp-session-id') };
}
