import test from 'ava';
import {
  adminToken,
  api,
  baseUrl,
  callTool,
  containersOf,
  expectStatus,
  type Server,
  server,
  standingContainer,
  textOf,
} from './harness.ts';
import { openSession, toolCall } from './mcp-session.ts';
import { fixtureEntry, makeServer, readyServer, uniqueName, untilReady } from './own-server.ts';
import { rawRequest } from './raw-http.ts';
import { until } from './until.ts';

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

test('a server made over the API comes up, is called, and is gone after DELETE with all its containers', async (t) => {
  const name = uniqueName('crud');
  const body = { name, ...(await fixtureEntry('plain.py')), env: { SECRET: 'canary-value' } };
  const made = await api('POST', '/api/v1/servers', { body });
  t.is(made.status, 202);
  t.is(made.headers.location, `/api/v1/servers/${name}`);
  t.like(JSON.parse(made.text), { name, origin: 'api', envKeys: ['SECRET'] });
  t.notRegex(made.text, /canary-value/);
  await untilReady(name);
  t.is(await callTool(name, 'echo', { text: 'made' }), 'made');
  t.is((await api('POST', '/api/v1/servers', { body })).status, 409);
  t.is((await api('DELETE', `/api/v1/servers/${name}`)).status, 204);
  t.is((await api('GET', `/api/v1/servers/${name}`)).status, 404);
  t.is((await containersOf(name)).length, 0);
});

test('PATCH is a merge patch: null takes a key away, the rest stays', async (t) => {
  const name = await readyServer(t, 'plain.py', { env: { KEEP: '1', DROP: '2' }, resources: { pids: 64 } });
  const patched = await expectStatus<Server>(
    202,
    api('PATCH', `/api/v1/servers/${name}`, {
      body: { env: { DROP: null, NEW: '3' }, resources: { memory: '96MiB' } },
    }),
  );
  t.like(patched, { envKeys: ['KEEP', 'NEW'], resources: { memoryBytes: 96 * 1024 * 1024, pids: 64 } });
  await until('a container with the new limit', async () => {
    const found = await standingContainer(name);
    return found.limits.memoryBytes === 96 * 1024 * 1024;
  });
  t.is(await callTool(name, 'echo', { text: 'patched' }), 'patched');
});

test('servers of the file cannot be patched or deleted over the API: 409 managed_by_file', async (t) => {
  for (const answer of [
    await api('PATCH', '/api/v1/servers/plain', { body: { maxSessions: 3 } }),
    await api('DELETE', '/api/v1/servers/plain'),
  ]) {
    t.is(answer.status, 409);
    t.is(JSON.parse(answer.text).error.code, 'managed_by_file');
  }
  t.is(await callTool('plain', 'echo', { text: 'still' }), 'still');
});

test('build and unknown keys are refused over HTTP, with every problem listed', async (t) => {
  const body = { name: 'refused', build: '/etc', nonsense: 1, resources: { memory: 'lots' } };
  const answer = await api('POST', '/api/v1/servers', { body });
  t.is(answer.status, 422);
  const { error } = JSON.parse(answer.text);
  t.is(error.code, 'invalid_config');
  const problems = JSON.stringify(error.detail.problems);
  for (const expected of [/build/, /nonsense/, /memory/]) t.regex(problems, expected);
  t.is((await api('GET', '/api/v1/servers/refused')).status, 404);
});

test('a body in the mcpServers shape is converted, and flags that give power are refused', async (t) => {
  const body = {
    mcpServers: { refused: { command: 'docker', args: ['run', '-i', '--privileged', '-v', '/:/host', 'x'] } },
  };
  const refused = await api('POST', '/api/v1/servers', { body });
  t.is(refused.status, 422);
  t.regex(refused.text, /--privileged/);
  const name = uniqueName('npx');
  const args = ['-y', '@modelcontextprotocol/server-sequential-thinking@2026.8.31'];
  await expectStatus(
    202,
    api('POST', '/api/v1/servers', { body: { mcpServers: { [name]: { command: 'npx', args } } } }),
  );
  t.teardown(() => api('DELETE', `/api/v1/servers/${name}`));
  const ready = await untilReady(name);
  t.is(ready.source.npm, '@modelcontextprotocol/server-sequential-thinking@2026.8.31');
});

test('a missing version is resolved once and shown in source.resolved', async (t) => {
  const name = await makeServer(t, 'unpinned', { npm: '@modelcontextprotocol/server-sequential-thinking' });
  const ready = await untilReady(name, 180_000);
  t.regex(ready.source.resolved ?? '', /\d+\.\d+\.\d+/);
});

test('stop leaves a server alone until start, and refuses its calls meanwhile', async (t) => {
  const name = await readyServer(t, 'plain.py');
  t.is((await api('POST', `/api/v1/servers/${name}/stop`)).status, 202);
  await until(
    'stopped',
    async () =>
      (await server(name)).state === 'stopped' &&
      (await containersOf(name)).every((c) => c.state !== 'ready'),
  );
  const refused = await api('POST', `/api/v1/servers/${name}/tools/echo`, { body: {} });
  t.is(refused.status, 503);
  t.is((await api('POST', `/api/v1/servers/${name}/start`)).status, 202);
  await untilReady(name);
  t.is(await callTool(name, 'echo', { text: 'again' }), 'again');
});

test('restart replaces all replicas and ends the sessions', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const session = await openSession(t, name);
  const before = await standingContainer(name);
  t.is((await api('POST', `/api/v1/servers/${name}/restart`)).status, 202);
  await until('another container', async () => (await standingContainer(name)).id !== before.id);
  t.is((await session.post(toolCall(1, 'echo'))).status, 404);
});

test('scale makes and takes standing replicas', async (t) => {
  const name = await readyServer(t, 'plain.py', { sharing: 'shared' });
  t.is((await api('POST', `/api/v1/servers/${name}/scale`, { body: { replicas: 3 } })).status, 202);
  await until('three', async () => (await server(name)).replicas.ready === 3);
  t.is((await containersOf(name)).length, 3);
  t.is((await api('POST', `/api/v1/servers/${name}/scale`, { body: { replicas: 1 } })).status, 202);
  await until('one', async () => (await containersOf(name)).length === 1);
  t.is((await api('POST', `/api/v1/servers/${name}/scale`, { body: { replicas: 1000 } })).status, 400);
});

test('changes need the admin token: none and a wrong one are 401, and reading needs none', async (t) => {
  for (const [method, path] of [
    ['POST', '/api/v1/servers'],
    ['DELETE', '/api/v1/servers/plain'],
    ['POST', '/api/v1/servers/plain/stop'],
    ['POST', '/api/v1/containers/0123456789ab/kill'],
  ] as const) {
    for (const token of [null, 'wrong', `${adminToken}x`]) {
      const answer = await api(method, path, { token, body: {} });
      t.is(answer.status, 401, `${method} ${path} ${token}`);
      t.is(JSON.parse(answer.text).error.code, 'unauthorized');
      t.regex(String(answer.headers['www-authenticate']), /^Bearer/);
    }
  }
  t.is((await api('GET', '/api/v1/servers', { token: null })).status, 200);
  t.is((await api('GET', '/api/v1/servers', { token: 'wrong' })).status, 401);
});

test('a token in the address counts for nothing', async (t) => {
  const answer = await api(
    'POST',
    `/api/v1/servers/plain/stop?token=${adminToken}&access_token=${adminToken}`,
    { token: null },
  );
  t.is(answer.status, 401);
});

test('a result with isError is a result, and a JSON-RPC error of the server is 502 mcp_error with its own words', async (t) => {
  const path = '/api/v1/servers/conformance/tools/test_error_handling';
  const result = await expectStatus<{ isError: boolean }>(200, api('POST', path, { body: {} }));
  t.true(result.isError);
  const failed = await api('POST', '/api/v1/servers/plain/tools/fail', { body: {} });
  t.is(failed.status, 502);
  t.like(JSON.parse(failed.text).error, {
    code: 'mcp_error',
    detail: { code: -32123, message: 'refused', data: { why: 'asked to' } },
  });
});

test('the standing replica keeps its process between REST calls, and sessions have others', async (t) => {
  const name = await readyServer(t, 'plain.py');
  await callTool(name, 'remember', { text: 'one' });
  t.is(await callTool(name, 'remember', { text: 'two' }), 'one,two');
  const session = await openSession(t, name);
  t.is(textOf((await session.call(1, 'remember', { text: 'three' })).result), 'three');
});

test('health and readiness answer, and metrics are in the format of Prometheus', async (t) => {
  t.deepEqual(await expectStatus(200, api('GET', '/healthz', { token: null })), { status: 'ok' });
  const ready = await until('readiness', () => expectStatus(200, api('GET', '/readyz', { token: null })));
  t.like(ready, { checks: { engine: 'ok', redis: 'ok' } });
  const metrics = await rawRequest(new URL('/metrics', baseUrl));
  t.regex(String(metrics.headers['content-type']), /^text\/plain/);
  for (const line of metrics.text.split('\n')) t.regex(line, /^$|^# |^gantry_[a-z0-9_]+(\{.*\})? \S+$/);
});

test('the mesh routes show services in the words of the earlier mesh', async (t) => {
  type Service = { name: string; state: string; replicas: { container_id: string }[]; tools: unknown[] };
  const status = await expectStatus(200, api('GET', '/api/v1/mesh/status'));
  t.true(['operational', 'degraded'].includes(String(status.status)));
  const list = () =>
    expectStatus<{ services: Service[]; count: number }>(200, api('GET', '/api/v1/mesh/services'));
  const { services, count } = await list();
  t.is(services.length, count);
  const clock = await expectStatus<Service>(200, api('GET', '/api/v1/mesh/services/clock'));
  t.is(clock.state, 'healthy');
  t.is(clock.replicas.length, 2);
  t.like(clock.tools[0], { name: 'now' });
  // While it is tried again it is starting, which is unknown.
  await until('what cannot be installed is unhealthy', async () =>
    (await list()).services.some(({ name, state }) => name === 'missing-package' && state === 'unhealthy'),
  );
});
