import test from 'ava';
import { api, type Json } from './harness.ts';
import { callBody, mesh, meshCall, remotePool } from './mesh-api.ts';
import { uniqueName } from './own-server.ts';
import { until } from './until.ts';

type Refusal = { readonly error: { readonly code: string; readonly message: string; readonly detail: Json } };

async function refusal(method: string, path: string, body?: unknown): Promise<[number, string]> {
  const { status, text } = await mesh(method, path, body);
  return [status, (JSON.parse(text) as Refusal).error.code];
}

const NOWHERE = { service_name: 'nowhere', address: '10.1.2.3', port: 80 };

test('a registration without an id or a name, or with fields that are wrong, is 422', async (t) => {
  for (const body of [
    {},
    { address: '10.1.2.3', port: 80 },
    { ...NOWHERE, port: 0 },
    { ...NOWHERE, port: 'http' },
    { ...NOWHERE, service_name: 'Upper Case' },
    { ...NOWHERE, ttl: 0 },
    { ...NOWHERE, metadata: { url: 'ftp://10.1.2.3/' } },
    { ...NOWHERE, metadata: { url: 'http://user:secret@10.1.2.3/' } },
    [],
  ])
    t.deepEqual(await refusal('POST', 'v2/register', body), [422, 'unprocessable'], JSON.stringify(body));
});

test('an address that is not allowed is 403 and says so, however it is written, and by every way in', async (t) => {
  const { text } = await mesh('POST', 'v2/register', NOWHERE);
  t.regex(text, /10\.1\.2\.3 is not listed in registry\.allowedAddresses/);
  for (const address of [
    '10.1.2.3',
    '169.254.169.254',
    '2852039166',
    '0251.0376.0251.0376',
    '::ffff:169.254.169.254',
    'localhost',
  ]) {
    const got = await refusal('POST', 'v2/register', { ...NOWHERE, address });
    t.deepEqual(got, [403, 'address_not_allowed'], address);
  }
  const made = await api('POST', '/api/v1/servers', {
    body: { name: uniqueName('far'), url: 'http://10.1.2.3/mcp' },
  });
  t.is(made.status, 403, made.text);
});

test('a server that is defined cannot be registered over, and only an admin changes the mesh', async (t) => {
  const body = { service_name: 'plain', address: '127.0.0.1', port: 7400 };
  t.deepEqual(await refusal('POST', 'v2/register', body), [409, 'server_exists']);
  for (const [method, path] of [
    ['POST', 'v2/register'],
    ['DELETE', 'v2/deregister/x'],
    ['POST', 'v2/services/x/heartbeat'],
    ['POST', 'v2/configure/load-balancer?strategy=random'],
    ['POST', 'v2/configure/circuit-breaker?failure_threshold=3'],
    ['DELETE', 'v2/configure'],
  ] as const) {
    const { status } = await api(method, `/api/v1/mesh/${path}`, {
      token: null,
      ...(method === 'POST' ? { body: {} } : {}),
    });
    t.is(status, 401, `${method} ${path}`);
  }
});

test('what is unknown is 404', async (t) => {
  t.deepEqual(await refusal('GET', 'v2/discover/nobody'), [404, 'server_not_found']);
  t.deepEqual(await refusal('DELETE', 'v2/deregister/nobody'), [404, 'registration_not_found']);
  t.deepEqual(await refusal('POST', 'v2/services/nobody/heartbeat'), [404, 'registration_not_found']);
  t.deepEqual(await refusal('POST', 'v2/call', callBody('nobody', 'echo')), [404, 'server_not_found']);
  t.deepEqual(await refusal('POST', 'v2/call', callBody('plain', 'no-such-tool')), [404, 'tool_not_found']);
  const path = 'v2/configure/load-balancer?strategy=random&service_name=nobody';
  t.deepEqual(await refusal('POST', path), [404, 'server_not_found']);
});

test('a setting out of range, and a call that means nothing to MCP, are 422', async (t) => {
  for (const query of [
    '',
    '?failure_threshold=0',
    '?failure_threshold=101',
    '?recovery_timeout=0',
    '?recovery_timeout=3601',
    '?failure_threshold=x',
  ])
    t.is((await mesh('POST', `v2/configure/circuit-breaker${query}`)).status, 422, query);
  for (const query of ['', '?strategy=fastest'])
    t.is((await mesh('POST', `v2/configure/load-balancer${query}`)).status, 422, query);
  t.is((await mesh('GET', 'v2/discover/plain?use_cache=maybe')).status, 422);
  for (const more of [
    { path: '/process' },
    { timeout: 0 },
    { timeout: 301 },
    { retry_count: 11 },
    { body: [1] },
    { body: { jsonrpc: '2.0', method: 'ping' } },
    { body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} } },
  ])
    t.is(
      (await mesh('POST', 'v2/call', callBody('plain', 'echo', {}, more))).status,
      422,
      JSON.stringify(more),
    );
});

test('the timeout of a call is its own, and its failures have honest codes', async (t) => {
  const { service, remotes } = await remotePool(t, ['x']);
  const late = await mesh('POST', 'v2/call', callBody(service, 'hang', {}, { timeout: 1 }));
  t.is(late.status, 504, late.text);
  await until('the server is told', async () => remotes[0]?.methods().includes('notifications/cancelled'));
  const broken = await mesh('POST', 'v2/call', callBody(service, 'broken', {}, { retry_count: 3 }));
  t.is(broken.status, 502, broken.text);
  t.is(
    remotes[0]?.heard.filter(({ message }) => message?.params?.name === 'broken').length,
    1,
    'it may have run: once',
  );
  t.is((await meshCall(service, 'whoami')).status_code, 200);
});

test('a registration is forgotten when its time runs out, and kept by heartbeats', async (t) => {
  const { service, remotes } = await remotePool(t, ['short']);
  const body = { service_id: service, service_name: service, metadata: { url: remotes[0]?.url() }, ttl: 5 };
  const other = { ...body, service_id: `${service}-kept` };
  t.is(
    (await mesh('POST', 'v2/register', { ...body, metadata: { url: 'http://127.0.0.1:7400/mcp/plain' } }))
      .status,
    200,
  );
  t.is(
    (await mesh('POST', 'v2/register', { ...other, metadata: { url: 'http://127.0.0.1:7400/mcp/plain' } }))
      .status,
    200,
  );
  const ids = async () =>
    (
      JSON.parse((await mesh('GET', `v2/discover/${service}`)).text) as { instances: { id: string }[] }
    ).instances.map(({ id }) => id);
  t.deepEqual((await ids()).slice(1), [service, `${service}-kept`]);
  for (;;) {
    t.is((await mesh('POST', `v2/services/${service}-kept/heartbeat`)).status, 200);
    if (!(await ids()).includes(service)) break;
  }
  t.deepEqual((await ids()).slice(1), [`${service}-kept`]);
});
