import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import test, { type ExecutionContext } from 'ava';
import { HttpChannel, Link } from '../../orchestrator/channel/index.ts';
import { GantryError, systemClock } from '../../orchestrator/kernel/index.ts';

const LIMITS = { callTimeoutMs: 10_000, maxCallMs: 10_000 };
const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {} },
  clientInfo: { name: 'test', version: '1' },
};

function mcpServer(): McpServer {
  const server = new McpServer({ name: 'official', version: '1.0.0' });
  server.registerTool('ask', { description: 'Asks the client.' }, async () => {
    const message = { role: 'user' as const, content: { type: 'text' as const, text: '?' } };
    const { content } = await server.server.createMessage({ messages: [message], maxTokens: 1 });
    return { content: [{ type: 'text', text: JSON.stringify(content) }] };
  });
  server.registerTool('grow', { description: 'Adds a tool.' }, async () => {
    server.registerTool(`grown-${randomUUID()}`, {}, async () => ({ content: [] }));
    return { content: [{ type: 'text', text: 'grown' }] };
  });
  return server;
}

/** The official SDK's server as its examples run it: a transport for each session, 400 for sessions that it does not know. */
async function official(t: ExecutionContext) {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const http = createServer(async (request, response) => {
    const id = String(request.headers['mcp-session-id'] ?? '');
    const known = transports.get(id);
    if (known !== undefined) return known.handleRequest(request, response);
    const body = await bodyOf(request);
    if (id !== '' || body?.method !== 'initialize') {
      response.writeHead(400, { 'content-type': 'application/json' });
      const error = { code: -32000, message: 'Bad Request: No valid session ID provided' };
      return response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }));
    }
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void transports.set(session, transport),
    });
    transport.onclose = () => transports.delete(transport.sessionId ?? '');
    // The SDK's own types disagree under exactOptionalPropertyTypes.
    await mcpServer().connect(transport as Parameters<McpServer['connect']>[0]);
    return transport.handleRequest(request, response, body);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.teardown(() => {
    http.close();
    http.closeAllConnections();
  });
  return { transports, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` };
}

async function bodyOf(request: IncomingMessage): Promise<{ method?: string } | null> {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? null : JSON.parse(text);
}

async function greeted(t: ExecutionContext) {
  const { url, transports } = await official(t);
  const pinned = { address: '127.0.0.1', family: 4 };
  const common = { clock: systemClock, maxLineBytes: 1024 * 1024, renews: true };
  const options = { url: new URL(url), pinned, headers: {}, ...common };
  const channel = new HttpChannel(options);
  t.teardown(() => channel.destroy('test'));
  const deadCallError = async () => new GantryError('replica_failed', 'over');
  const link = new Link({
    replica: 'remote-1',
    channel,
    clock: systemClock,
    onDropped: () => {},
    deadCallError,
  });
  t.true((await link.call('initialize', HELLO, LIMITS)).ok);
  await link.notify('notifications/initialized');
  return { link, channel, transports };
}

test('the official server: a question of the server in the middle of a call is answered on its way', async (t) => {
  const { link } = await greeted(t);
  const outcome = await link.call(
    'tools/call',
    { name: 'ask', arguments: {} },
    {
      ...LIMITS,
      takesUnattributed: true,
      onMessage: (message) => {
        if (message.kind !== 'request') return;
        const content = { type: 'text', text: 'because' };
        void link.respond(message.id, { result: { role: 'assistant', model: 'm', content } });
      },
    },
  );
  t.true(outcome.ok && outcome.raw.includes('because'));
});

test('the official server: a change of its tools is heard', async (t) => {
  const { link } = await greeted(t);
  const { promise, resolve } = Promise.withResolvers<string>();
  link.listen(({ method }) => resolve(method));
  t.true((await link.call('tools/call', { name: 'grow', arguments: {} }, LIMITS)).ok);
  t.is(await promise, 'notifications/tools/list_changed');
});

test('the official server: sessions that it has lost are begun anew, though it says 400; one that is left is ended', async (t) => {
  const { link, channel, transports } = await greeted(t);
  transports.clear();
  t.true((await link.call('tools/list', {}, LIMITS)).ok);
  t.is(transports.size, 1);
  channel.end();
  t.deepEqual(await channel.closed, { why: 'ended' });
  t.is(transports.size, 0);
});
