import test from 'ava';
import { fakeAuth } from '../fakes/controls.ts';
import { type Ask, startApp } from './ask.ts';

const READ = { method: 'GET', path: '/api/v1/servers' };
const TOOL = { method: 'POST', path: '/api/v1/servers/everything/tools/echo' };
const CHANGE = { method: 'POST', path: '/api/v1/servers/everything/restart' };
const RELOAD = { method: 'POST', path: '/api/v1/reload' };
const MCP = { method: 'DELETE', path: '/mcp/everything' };
const METRICS = { method: 'GET', path: '/metrics' };
const DOCUMENT = { method: 'GET', path: '/openapi.json' };
const HEALTH = { method: 'GET', path: '/healthz' };
const READY = { method: 'GET', path: '/readyz' };
const NOTHING = { method: 'GET', path: '/api/v1/nothing' };

type Row = readonly [
  { method: string; path: string },
  none: number,
  wrong: number,
  call: number,
  admin: number,
];

const withoutTokens: readonly Row[] = [
  [READ, 200, 401, 401, 200],
  [TOOL, 200, 401, 401, 200],
  [CHANGE, 401, 401, 401, 202],
  [RELOAD, 401, 401, 401, 200],
  [MCP, 204, 401, 401, 204],
  [METRICS, 200, 401, 401, 200],
  [DOCUMENT, 200, 401, 401, 200],
  [HEALTH, 200, 200, 200, 200],
  [READY, 200, 200, 200, 200],
  [NOTHING, 404, 401, 401, 404],
];
const withTokens: readonly Row[] = [
  [READ, 401, 401, 200, 200],
  [TOOL, 401, 401, 200, 200],
  [CHANGE, 401, 401, 403, 202],
  [RELOAD, 401, 401, 403, 200],
  [MCP, 401, 401, 204, 204],
  [METRICS, 401, 401, 200, 200],
  [DOCUMENT, 401, 401, 200, 200],
  [HEALTH, 200, 200, 200, 200],
  [READY, 200, 200, 200, 200],
  [NOTHING, 401, 401, 404, 404],
];

async function statuses(ask: Ask, { method, path }: { method: string; path: string }): Promise<number[]> {
  const tokens = [undefined, 'wrong', 'call-token', 'admin-token'];
  return Promise.all(
    tokens.map(async (token) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await ask(method, path, { headers })).status;
    }),
  );
}

for (const [configured, rows] of [
  [false, withoutTokens],
  [true, withTokens],
] as const) {
  test(`who may do what while ${configured ? '' : 'no '}tokens are configured`, async (t) => {
    const { ask } = await startApp(t, { auth: fakeAuth(configured) });
    for (const [route, ...expected] of rows) {
      t.deepEqual(await statuses(ask, route), expected, `${route.method} ${route.path}`);
    }
  });
}

test('401 names the scheme and 403 the scope', async (t) => {
  const { ask } = await startApp(t, { auth: fakeAuth(true) });
  const missing = await ask('GET', '/api/v1/servers');
  t.regex(String(missing.headers['www-authenticate']), /^Bearer/);
  t.is(missing.json.error.code, 'unauthorized');
  const weak = await ask('POST', '/api/v1/reload', { headers: { authorization: 'Bearer call-token' } });
  t.deepEqual([weak.json.error.code, weak.json.error.detail.scope], ['scope_missing', 'admin']);
  const mcp = await ask('POST', '/mcp/everything', { body: {} });
  t.deepEqual([mcp.status, mcp.json.jsonrpc, mcp.json.error.data.code], [401, '2.0', 'unauthorized']);
  t.regex(String(mcp.headers['www-authenticate']), /^Bearer/);
});

for (const authorization of [
  'admin-token',
  'Basic YTpi',
  'Bearer',
  'Bearer ',
  'Bearer a b',
  'Bearer "admin-token"',
]) {
  test(`Authorization "${authorization}" is no token`, async (t) => {
    const { ask } = await startApp(t, { auth: fakeAuth(true) });
    t.is((await ask('GET', '/api/v1/servers', { headers: { authorization } })).status, 401);
  });
}

test('a token in the address counts for nothing', async (t) => {
  const { ask } = await startApp(t, { auth: fakeAuth(true) });
  t.is((await ask('GET', '/api/v1/servers?token=admin-token&access_token=admin-token')).status, 401);
});

test('a missing token is told before the body is looked at', async (t) => {
  const { ask } = await startApp(t);
  t.is((await ask('POST', '/api/v1/servers', { text: 'not json' })).status, 401);
});
