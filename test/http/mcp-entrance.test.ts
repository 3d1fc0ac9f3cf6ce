import test from 'ava';
import Koa from 'koa';
import { startMcp } from './mcp-app.ts';

const ACCEPT = { accept: 'application/json, text/event-stream' };
const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } };
const JSON_TYPE = { 'content-type': 'application/json', ...ACCEPT };

type Asking = readonly [what: string, method: string, headers: Record<string, string>, text: string];

const askings: readonly Asking[] = [
  ['an initialize', 'POST', JSON_TYPE, text({ ...CALL, method: 'initialize', params: {} })],
  ['no session', 'POST', JSON_TYPE, text(CALL)],
  ['an unknown session', 'POST', { ...JSON_TYPE, 'mcp-session-id': 'nobody' }, text(CALL)],
  ['another Host', 'POST', { ...JSON_TYPE, host: 'evil.com' }, text(CALL)],
  ['another Origin', 'POST', { ...JSON_TYPE, origin: 'http://evil.com' }, text(CALL)],
  ['a wrong token', 'POST', { ...JSON_TYPE, authorization: 'Bearer wrong' }, text(CALL)],
  ['no content type', 'POST', { ...ACCEPT, 'content-type': '' }, text(CALL)],
  ['compression', 'POST', { ...JSON_TYPE, 'content-encoding': 'gzip' }, text(CALL)],
  ['one kind of answer only', 'POST', { ...JSON_TYPE, accept: 'application/json' }, text(CALL)],
  ['an unknown revision', 'POST', { ...JSON_TYPE, 'mcp-protocol-version': '1999-01-01' }, text(CALL)],
  ['half of JSON', 'POST', JSON_TYPE, '{"jsonrpc":"2.0","id":7,'],
  ['a member twice', 'POST', JSON_TYPE, '{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}'],
  ['an unknown member', 'POST', JSON_TYPE, text({ ...CALL, extra: 1 })],
  ['a __proto__ key', 'POST', JSON_TYPE, '{"jsonrpc":"2.0","id":7,"method":"x","params":{"__proto__":{}}}'],
  ['too many levels', 'POST', JSON_TYPE, `{"jsonrpc":"2.0","id":7,"x":${'['.repeat(70)}${']'.repeat(70)}}`],
  ['too many bytes', 'POST', JSON_TYPE, text({ ...CALL, params: { text: 'x'.repeat(70_000) } })],
  ['a batch', 'POST', JSON_TYPE, text([CALL])],
  ['a modern call without its headers', 'POST', JSON_TYPE, text(modern())],
  ['GET without a session', 'GET', ACCEPT, ''],
  ['DELETE without a session', 'DELETE', {}, ''],
];

const ENDPOINTS = ['/mcp/echo', '/mcp', '/mcp/@all'] as const;
const pairs = ENDPOINTS.flatMap((endpoint) => askings.map((asking) => [endpoint, ...asking] as const));

for (const [endpoint, what, method, headers, body] of pairs) {
  const where = endpoint === '/mcp/echo' ? '' : ` (${endpoint})`;
  test(`${what} is answered alike past Koa and through it${where}`, async (t) => {
    // Each way meets a mesh of its own: what one asking leaves behind must not decide about the other.
    const answers = await Promise.all(
      [endpoint, `${endpoint}?by=router`].map(async (path) => {
        const { ask, pools, facts } = await startMcp(t);
        const answer = await ask(method, path, body === '' ? { headers } : { headers, text: body });
        const { date: _date, 'mcp-session-id': session, ...others } = answer.headers;
        const asked = facts.filter(({ type }) => type === 'http.request').length;
        return {
          status: answer.status,
          body: answer.text,
          headers: { ...others, session: typeof session },
          containers: pools.opened.length,
          asked: asked <= 1,
        };
      }),
    );
    t.deepEqual(answers[0], answers[1]);
    t.not(answers[0]?.status, 500);
  });
}

test.serial(
  'the plain address of every MCP endpoint passes Koa by, and one with a query does not',
  async (t) => {
    const { ask } = await startMcp(t);
    const contexts: unknown[] = [];
    const { createContext } = Koa.prototype;
    Koa.prototype.createContext = function (this: Koa, req, res) {
      contexts.push(req.url);
      return createContext.call(this, req, res);
    } as typeof createContext;
    t.teardown(() => {
      Koa.prototype.createContext = createContext;
    });
    for (const endpoint of ENDPOINTS) {
      for (const path of [endpoint, `${endpoint}?by=router`]) await ask('POST', path, { text: '{' });
    }
    t.deepEqual(
      contexts,
      ENDPOINTS.map((endpoint) => `${endpoint}?by=router`),
    );
  },
);

test('every request that comes in past Koa is counted under its route', async (t) => {
  const { ask, facts } = await startMcp(t);
  await ask('POST', '/mcp/echo', { headers: ACCEPT, text: '{' });
  await ask('DELETE', '/mcp/echo');
  await ask('DELETE', '/mcp/@all');
  await ask('DELETE', '/mcp');
  const counted = facts.flatMap((fact) =>
    fact.type === 'http.request' ? [[fact.method, fact.route, fact.status]] : [],
  );
  t.deepEqual(counted, [
    ['POST', '/mcp/{server}', 400],
    ['DELETE', '/mcp/{server}', 400],
    ['DELETE', '/mcp/{server}', 400],
    ['DELETE', '/mcp', 400],
  ]);
});

test('a method that the endpoint does not have is refused with those that it has', async (t) => {
  const { ask } = await startMcp(t);
  for (const method of ['PUT', 'PATCH', 'HEAD']) {
    const { status, headers } = await ask(method, '/mcp/echo');
    t.is(status, 405, method);
    t.regex(String(headers.allow), /POST/);
  }
});

function text(message: unknown): string {
  return JSON.stringify(message);
}

function modern(): object {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { ...CALL, params: { ...CALL.params, _meta: meta } };
}
