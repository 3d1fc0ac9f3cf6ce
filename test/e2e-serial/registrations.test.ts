import test from 'ava';
import { compose, dockerOnHost, type Json, server, textOf } from '../e2e/harness.ts';
import { discover, mesh, meshCall, meshJson, register, remotePool, startRemote } from '../e2e/mesh-api.ts';
import { uniqueName, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

const PATIENT = { timeoutMs: 120_000 };

type Tuned = { readonly breaker: { readonly consecutiveFailures: number } };

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

test.serial(
  'registrations and settings of the mesh API are there again after a kill of the orchestrator',
  async (t) => {
    t.timeout(200_000);
    const { service } = await remotePool(t, ['a', 'b']);
    const before = (await discover(service)).instances.map(({ id }) => id);
    await meshJson(200, 'POST', `v2/configure/circuit-breaker?failure_threshold=7&service_name=${service}`);
    const orchestrator = (await compose('ps', '-a', '-q', 'orchestrator')).trim();
    await dockerOnHost('kill', '--signal', 'KILL', orchestrator);
    await dockerOnHost('start', orchestrator);
    const after = await until(
      'both instances are healthy again',
      async () => {
        const found = await discover(service);
        return found.healthy === 2 && found.instances.map(({ id }) => id);
      },
      PATIENT,
    );
    t.deepEqual(after, before);
    t.is(((await server(service)) as unknown as Tuned).breaker.consecutiveFailures, 7);
    const said = await Promise.all(Array.from({ length: 8 }, () => meshCall(service, 'whoami')));
    t.deepEqual([...new Set(said.map(({ body }) => textOf(body)))].sort(), ['a', 'b']);
  },
);

test.serial(
  'while Redis is away registrations are refused with 503, and what is registered is still called',
  async (t) => {
    t.timeout(200_000);
    const { service, remotes } = await remotePool(t, ['here']);
    await compose('stop', 'redis');
    t.teardown(() => compose('start', 'redis'));
    const body = { service_name: 'late', address: '127.0.0.1', port: 7400, path: '/mcp/plain' };
    for (const [method, path, sent] of [
      ['POST', 'v2/register', body],
      ['POST', 'v2/configure/load-balancer?strategy=random', undefined],
      ['DELETE', `v2/deregister/${(await discover(service)).instances[0]?.id}`, undefined],
    ] as const) {
      const { status, text } = await mesh(method, path, sent);
      t.deepEqual([status, JSON.parse(text).error.code], [503, 'registry_unavailable'], `${method} ${path}`);
    }
    t.is((await mesh('GET', 'v2/discover/late')).status, 404);
    t.is(textOf((await meshCall(service, 'whoami')).body), 'here');
    t.is(JSON.parse((await mesh('GET', 'v2/health')).text).registry_connected, false);
    await compose('start', 'redis');
    await until(
      'the registry takes registrations again',
      async () => (await mesh('POST', 'v2/register', body)).status === 200,
      PATIENT,
    );
    t.is((await mesh('DELETE', 'v2/deregister/late-127.0.0.1-7400')).status, 200);
    t.is((await discover(service)).healthy, 1, `${remotes[0]?.port}`);
  },
);

test.serial(
  'a strategy and thresholds set for all hold for servers of the file and later ones, until they are taken back',
  async (t) => {
    const set = await meshJson<{ services: string[] }>(
      200,
      'POST',
      'v2/configure/load-balancer?strategy=ip_hash',
    );
    t.teardown(() => mesh('DELETE', 'v2/configure'));
    t.true(set.services.includes('plain'));
    const strategy = async (name: string) =>
      ((await server(name)) as unknown as { balance: Json }).balance.strategy;
    t.is(await strategy('clock'), 'consistent_hash');
    const service = uniqueName('remote');
    await register(t, service, await startRemote(t));
    t.is(await strategy(service), 'consistent_hash', 'one that came later');
    await meshJson(200, 'DELETE', `v2/configure?service_name=clock`);
    t.is(await strategy('clock'), 'least_connections');
    await meshJson(200, 'DELETE', 'v2/configure');
    t.is(await strategy(service), 'least_connections');
  },
);
