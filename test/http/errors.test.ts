import test from 'ava';
import { mcpError, restError, statusOf } from '../../orchestrator/http/index.ts';
import { type ErrorCode, GantryError } from '../../orchestrator/kernel/index.ts';
import { fakeControls } from '../fakes/controls.ts';
import { startApp } from './ask.ts';

/** docs/api.md, Errors. */
const PROMISED: Readonly<Record<number, readonly ErrorCode[]>> = {
  400: ['invalid_request', 'parse_error'],
  401: ['unauthorized'],
  403: ['origin_forbidden', 'host_forbidden', 'scope_missing'],
  404: ['server_not_found', 'container_not_found', 'tool_not_found', 'session_not_found', 'route_not_found'],
  405: ['method_not_allowed'],
  406: ['not_acceptable'],
  409: ['server_exists', 'managed_by_file', 'invalid_state'],
  413: ['body_too_large'],
  415: ['unsupported_media_type'],
  422: ['invalid_config'],
  429: ['queue_full'],
  499: ['cancelled'],
  500: ['internal'],
  502: ['mcp_error', 'replica_failed'],
  503: ['engine_unavailable', 'registry_unavailable', 'no_replica'],
  504: ['call_timeout'],
};

test('every code has the status that the API promises', (t) => {
  for (const [status, codes] of Object.entries(PROMISED)) {
    for (const code of codes) t.is(statusOf(code), Number(status), code);
  }
});

test('JSON-RPC numbers are its own where it has some, and -32000 with the literal elsewhere', (t) => {
  const numberOf = (code: ErrorCode) => {
    const { body } = mcpError(new GantryError(code, 'x', { detail: { code: 7, kept: 1 } }), 0);
    return (body as { error: { code: number } }).error;
  };
  t.is(numberOf('parse_error').code, -32700);
  t.is(numberOf('invalid_request').code, -32600);
  t.deepEqual(numberOf('replica_failed'), {
    code: -32000,
    message: 'x',
    data: { code: 'replica_failed', kept: 1 },
  });
  t.like(mcpError(new GantryError('no_replica', 'x'), 0).body, { id: 0 });
  t.like(mcpError(new GantryError('no_replica', 'x')).body, { id: null });
  t.like(mcpError(new GantryError('no_replica', 'x'), 'a', -32020).body, { error: { code: -32020 } });
});

test('Retry-After is whole seconds, rounded up, and only where a retry helps', (t) => {
  const headersOf = (code: ErrorCode, retryAfterMs: number) =>
    restError(new GantryError(code, 'x', { detail: { retryAfterMs } })).headers;
  t.deepEqual(headersOf('queue_full', 1), { 'Retry-After': '1' });
  t.deepEqual(headersOf('no_replica', 1_001), { 'Retry-After': '2' });
  t.deepEqual(headersOf('internal', 5_000), {});
});

test('an error that was not written for users is told in neutral words, and stated as trouble', async (t) => {
  const secret = new Error('connect ENOENT /var/run/docker.sock container 0123456789ab');
  const controls = fakeControls();
  const { ask, facts } = await startApp(t, {
    servers: {
      ...controls.servers,
      list: () => {
        throw secret;
      },
    },
    mcp: () => Promise.reject(secret),
  });
  for (const [method, path] of [
    ['GET', '/api/v1/servers'],
    ['POST', '/mcp/everything'],
  ] as const) {
    const asked = await ask(method, path);
    t.is(asked.status, 500);
    t.regex(asked.text, /"internal"/);
    t.notRegex(asked.text, /docker|ENOENT|0123456789ab|\.ts| {4}at /);
  }
  const troubles = facts.filter((fact) => fact.type === 'trouble');
  t.deepEqual(
    troubles.map((fact) => fact.where),
    ['http GET /api/v1/servers', 'http POST /mcp/{server}'],
  );
});

test('a full queue reaches the client as 429 with Retry-After, on both kinds of route', async (t) => {
  const full = new GantryError('queue_full', 'Too many calls wait.', { detail: { retryAfterMs: 1_500 } });
  const { ask } = await startApp(t, {
    tools: { known: () => [], list: () => Promise.reject(full), call: () => Promise.reject(full) },
    mcp: () => Promise.reject(full),
  });
  const rest = await ask('POST', '/api/v1/servers/everything/tools/echo', { body: {} });
  const mcp = await ask('POST', '/mcp/everything', { body: {} });
  t.deepEqual([rest.status, rest.headers['retry-after']], [429, '2']);
  t.deepEqual([mcp.status, mcp.headers['retry-after']], [429, '2']);
});

test('an unknown method on a known path is 405 and names the known ones', async (t) => {
  const { ask } = await startApp(t);
  const rest = await ask('PUT', '/api/v1/servers');
  t.deepEqual([rest.status, rest.json.error.code], [405, 'method_not_allowed']);
  t.deepEqual(String(rest.headers.allow).split(', ').sort(), ['GET', 'HEAD', 'POST']);
  t.is((await ask('DELETE', '/healthz')).status, 405);
  const mcp = await ask('PUT', '/mcp/everything', { body: {} });
  t.deepEqual([mcp.status, mcp.json.error.data.code], [405, 'method_not_allowed']);
  t.is((await ask('HEAD', '/mcp/everything')).status, 405);
});

test('an unknown path is 404 in the shape of its kind', async (t) => {
  const { ask } = await startApp(t);
  for (const path of ['/', '/api', '/api/v1/', '/API/v1/servers', '/api/v1/servers/a/b/c']) {
    const asked = await ask('GET', path);
    t.deepEqual([asked.status, asked.json.error.code], [404, 'route_not_found'], path);
  }
  t.is((await ask('GET', '/mcp/a/b')).json.error.data.code, 'route_not_found');
});

test('the id that the MCP route found is in an error thrown later', async (t) => {
  const { ask } = await startApp(t, {
    mcp: (ctx) => {
      ctx.state.rpcId = 0;
      return Promise.reject(new GantryError('server_not_found', 'No.'));
    },
  });
  t.is((await ask('POST', '/mcp/x', { body: {} })).json.id, 0);
});

test('every answer is stated as a fact under the pattern of its route', async (t) => {
  const { ask, facts } = await startApp(t);
  await ask('GET', '/api/v1/servers/everything');
  await ask('GET', '/api/v1/servers/nobody');
  await ask('GET', '/nothing/here');
  await ask('GET', '/healthz', { headers: { host: 'evil.com' } });
  const requests = facts.filter((fact) => fact.type === 'http.request');
  t.deepEqual(
    requests.map(({ route, status }) => [route, status]),
    [
      ['/api/v1/servers/{name}', 200],
      ['/api/v1/servers/{name}', 404],
      ['unmatched', 404],
      ['unmatched', 403],
    ],
  );
  t.true(requests.every(({ durationMs }) => durationMs >= 0 && durationMs < 10_000));
});
