import test from 'ava';
import { api, expectStatus, type Json, server, textOf } from './harness.ts';
import {
  callBody,
  discover,
  hostAddress,
  mesh,
  meshCall,
  meshJson,
  remotePool,
  startRemote,
  type Topology,
} from './mesh-api.ts';
import { makeServer, uniqueName, untilReady } from './own-server.ts';
import { until } from './until.ts';

type Service = { readonly name: string; readonly state: string; readonly tags: readonly string[] };
type Refusal = { readonly error: { readonly code: string; readonly message: string; readonly detail: Json } };

test.before(async () => {
  await until('plain is ready', async () => (await server('plain')).state === 'ready', {
    timeoutMs: 180_000,
  });
});

test('status and topology list the engine, Redis and the orchestrator as services with a state of their own', async (t) => {
  const isWell = ({ tags, state }: Service): boolean =>
    !tags.includes('infrastructure') || state === 'healthy';
  // An engine that is at work for everybody may be late with one answer.
  const { status, topology } = await until('all parts are healthy', async () => {
    const status = await meshJson<{ services: Service[]; services_count: number }>(200, 'GET', 'status');
    const topology = await meshJson<Topology>(200, 'GET', 'v2/topology');
    return status.services.every(isWell) && { status, topology };
  });
  t.is(status.services_count, status.services.length);
  for (const name of ['engine', 'redis', 'orchestrator']) {
    t.like(
      status.services.find((service) => service.name === name),
      { state: 'healthy', tags: ['infrastructure'] },
    );
    t.like(topology.services[name], {
      total: 1,
      healthy: 1,
      instances: [{ state: 'healthy', circuit_breaker: null }],
    });
  }
  const instances = Object.values(topology.services).flatMap((service) => service.instances);
  t.is(topology.total_instances, instances.length);
  t.is(topology.circuit_breakers['plain-1'], 'closed');
});

test('services that are said to be healthy answer', async (t) => {
  const { services, count } = await meshJson<{
    services: (Service & { instances: Json[] })[];
    count: number;
  }>(200, 'GET', 'v2/services');
  t.is(count, services.length);
  const healthy = services.filter(
    ({ name, state }) => state === 'healthy' && ['plain', 'clock'].includes(name),
  );
  t.true(healthy.some(({ name }) => name === 'plain'));
  for (const { name } of healthy) {
    const body = { service_name: name, body: { jsonrpc: '2.0', id: 0, method: 'tools/list' } };
    const answer = await meshJson<{ body: { id: number; result: { tools: Json[] } } }>(
      200,
      'POST',
      'v2/call',
      body,
    );
    t.is(answer.body.id, 0);
    t.true(answer.body.result.tools.length > 0, name);
  }
});

test('a container server is called by /v2/call, with its instance, a trace and a duration', async (t) => {
  const answer = await meshCall('plain', 'echo', { text: 'through the mesh' });
  t.is(textOf(answer.body), 'through the mesh');
  t.like(answer, {
    status_code: 200,
    headers: { 'content-type': 'application/json' },
    instance_id: 'plain-1',
  });
  t.regex(answer.trace_id, /^[0-9a-f]{32}$/);
  t.true(answer.duration > 0 && answer.duration < 30);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const traced = await expectStatus<{ trace_id: string }>(
    200,
    api('POST', '/api/v1/mesh/v2/call', {
      body: callBody('plain', 'echo', { text: 'x' }),
      token: null,
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    }),
  );
  t.is(traced.trace_id, trace);
});

test('what registers is discoverable, reachable in every way, and gone when it is deregistered', async (t) => {
  const service = uniqueName('remote');
  const remote = await startRemote(t, { name: 'far' });
  const where = {
    service_name: service,
    address: await hostAddress(),
    port: remote.port,
    tags: ['blue'],
    metadata: { zone: 'a' },
  };
  const registered = await meshJson(200, 'POST', 'v2/register', where);
  const id = `${service}-${where.address}-${remote.port}`;
  t.like(registered, { service_id: id, status: 'registered', ttl: 300, service: { id } });
  const [instance] = (
    await until('it is healthy', async () => {
      const found = await discover(service);
      return found.healthy === 1 && found;
    })
  ).instances;
  t.like(instance, {
    id,
    address: where.address,
    port: remote.port,
    state: 'healthy',
    tags: ['blue'],
    metadata: { zone: 'a' },
  });
  const called = await meshCall(service, 'whoami');
  t.deepEqual([textOf(called.body), called.instance_id], ['far', id]);
  const rest = api('POST', `/api/v1/servers/${service}/tools/echo`, { body: { text: 'REST' }, token: null });
  t.is(textOf(await expectStatus(200, rest)), 'REST');
  t.like(await server(service), { state: 'ready', origin: 'registered', toolCount: 6, era: 'legacy' });
  t.like(await meshJson(200, 'GET', `services/${service}`), { state: 'healthy' });
  t.true(
    remote.heard.every(({ headers }) => headers.authorization === undefined),
    'no token of a caller reached it',
  );
  t.like(await meshJson(200, 'DELETE', `v2/deregister/${id}`), { status: 'deregistered' });
  t.is((await mesh('GET', `v2/discover/${service}`)).status, 404);
  t.is((await mesh('DELETE', `v2/deregister/${id}`)).status, 404);
});

test('traffic spreads over the instances of one service, and what one does not take another does', async (t) => {
  const { service, remotes } = await remotePool(t, ['a', 'b']);
  await meshJson(200, 'POST', `v2/configure/load-balancer?strategy=round_robin&service_name=${service}`);
  const said = new Map<string, number>();
  for (let count = 0; count < 10; count++) {
    const { body } = await meshCall(service, 'whoami');
    said.set(textOf(body), (said.get(textOf(body)) ?? 0) + 1);
  }
  // The one that joined last begins with a smaller share.
  t.true(
    ['a', 'b'].every((name) => (said.get(name) ?? 0) >= 3),
    JSON.stringify([...said]),
  );
  await remotes[0]?.close();
  for (let count = 0; count < 4; count++) t.is(textOf((await meshCall(service, 'whoami')).body), 'b');
});

test('a breaker opens when an instance dies, says so, and closes when it is back', async (t) => {
  const { service, remotes } = await remotePool(t, ['only']);
  const path = `v2/configure/circuit-breaker?failure_threshold=2&recovery_timeout=1&service_name=${service}`;
  t.deepEqual((await meshJson(200, 'POST', path)).services, [service]);
  const before = (await server(service)) as unknown as { breaker: Json };
  t.like(before.breaker, { consecutiveFailures: 2, ejectMs: 1000 });
  const [id = ''] = (await discover(service)).instances.map((instance) => instance.id);
  await remotes[0]?.close();
  for (let call = 0; call < 2; call++) {
    const { status, text } = await mesh(
      'POST',
      'v2/call',
      callBody(service, 'whoami', {}, { retry_count: 0 }),
    );
    t.deepEqual([status, (JSON.parse(text) as Refusal).error.code], [502, 'replica_failed'], text);
  }
  const found = await until('its breaker is open', async () => {
    const topology = await meshJson<Topology>(200, 'GET', 'v2/topology');
    return topology.circuit_breakers[id] !== 'closed' && topology.services[service];
  });
  t.like(found, { healthy: 0, instances: [{ state: 'unhealthy' }] });
  await until('it says why', async () => {
    const [instance] = (await discover(service)).instances;
    return /could not be reached/.test(instance?.reason ?? '');
  });
  t.true(((await mesh('GET', 'v2/health')).text.match(/"open_circuit_breakers":(\d+)/)?.[1] ?? '0') !== '0');
  t.is((await mesh('POST', 'v2/call', callBody(service, 'whoami'))).status, 503);
  await remotes[0]?.reopen();
  await until('it is healthy again', async () => (await discover(service)).healthy === 1);
  t.is((await meshJson<Topology>(200, 'GET', 'v2/topology')).circuit_breakers[id], 'closed');
  t.is(textOf((await meshCall(service, 'whoami')).body), 'only');
});

test('the health has the score of the earlier mesh, and says that the registry is there', async (t) => {
  const answer = await mesh('GET', 'v2/health');
  const health = JSON.parse(answer.text);
  t.is(health.registry_connected, true);
  t.is(health.health_score, health.healthy_instances / health.total_instances);
  t.is(answer.status, health.status === 'unhealthy' ? 503 : 200);
  t.is(health.queue_stats.total_services, health.total_services);
});

test('a server elsewhere is made over the API, serves sessions of its own, and Gantry itself can be one', async (t) => {
  const name = await makeServer(t, 'self', { url: 'http://127.0.0.1:7400/mcp/plain' });
  const ready = await untilReady(name);
  t.like(ready, { source: { url: 'http://127.0.0.1:7400/mcp/plain' }, replicas: { ready: 1 } });
  t.is(textOf((await meshCall(name, 'echo', { text: 'twice through' })).body), 'twice through');
  await until('its eras are known', async () => (await server(name)).era === 'both');
  const verb = api('POST', `/api/v1/servers/${name}/scale`, { body: { replicas: 2 } });
  t.is((await verb).status, 400);
});
