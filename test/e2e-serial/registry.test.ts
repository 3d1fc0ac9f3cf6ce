import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { RedisMeshStore } from '../../orchestrator/registry/index.ts';
import {
  api,
  callTool,
  compose,
  containersOf,
  dockerInside,
  dockerOnHost,
  expectStatus,
  type Json,
  server,
  standingContainer,
} from '../e2e/harness.ts';
import { openSession } from '../e2e/mcp-session.ts';
import { fixtureEntry, makeServer, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

type Status = { infrastructure: { name: string; state: string; metadata: { message: string } }[] };

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

test.serial(
  'what was stopped and scaled over the API is so again after a kill of the orchestrator',
  async (t) => {
    t.timeout(280_000);
    const entry = await fixtureEntry('plain.py');
    const stopped = await makeServer(t, 'stopped', entry);
    const scaled = await makeServer(t, 'scaled', entry);
    await Promise.all([untilReady(stopped), untilReady(scaled)]);
    const tools = (await until('tools are known', async () => {
      const service = await expectStatus<{ tools: Json[] }>(
        200,
        api('GET', `/api/v1/mesh/services/${stopped}`),
      );
      return service.tools.length > 0 && service.tools;
    })) as Json[];
    const redis = registry(t);
    await until('the registry knows the tools', async () => (await redis.kept('tools')).has(stopped));
    await expectStatus(202, api('POST', `/api/v1/servers/${stopped}/stop`));
    await expectStatus(202, api('POST', `/api/v1/servers/${scaled}/scale`, { body: { replicas: 3 } }));

    const before = (await redis.held('replicas')).keys().next().value;
    const orchestrator = (await compose('ps', '-a', '-q', 'orchestrator')).trim();
    await dockerOnHost('kill', '--signal', 'KILL', orchestrator);
    await dockerOnHost('start', orchestrator);

    const ready = () => server(scaled).then(({ replicas }) => replicas.ready === 3);
    await until('three replicas', ready, { timeoutMs: 120_000 });
    t.is((await server(stopped)).state, 'stopped');
    t.is(await onEngine(stopped), 0);
    // A process that is only asked for its era may be there for a moment.
    await until('the engine has three', async () => (await onEngine(scaled)) === 3);
    const known = await expectStatus<{ tools: Json[] }>(200, api('GET', `/api/v1/mesh/services/${stopped}`));
    t.deepEqual(known.tools, tools);
    await until('the lease of the one that was killed has run out', async () => {
      const holders = [...(await redis.held('replicas')).keys()];
      return holders.length === 1 && holders[0] !== before;
    });

    await expectStatus(202, api('POST', `/api/v1/servers/${stopped}/start`));
    await untilReady(stopped);
    t.is((await redis.kept('intents')).has(stopped), false);
  },
);

test.serial(
  'while Redis is away calls go on and changes are refused; when it is back the registry is what the engine has',
  async (t) => {
    t.timeout(280_000);
    const name = await makeServer(t, 'kept', await fixtureEntry('plain.py'));
    await untilReady(name);
    await compose('stop', 'redis');
    t.teardown(() => compose('start', 'redis'));
    const said = await until('it is told', async () => {
      const status = await expectStatus<Status>(200, api('GET', '/api/v1/mesh/status'));
      const redis = status.infrastructure.find((one) => one.name === 'redis');
      return redis?.state === 'unhealthy' && status;
    });
    t.is(said.infrastructure.find((one) => one.name === 'engine')?.state, 'healthy');

    for (const [verb, body] of [['stop'], ['scale', { replicas: 2 }]] as const) {
      const refused = await api(
        'POST',
        `/api/v1/servers/${name}/${verb}`,
        body === undefined ? {} : { body },
      );
      t.is(refused.status, 503);
      t.is(JSON.parse(refused.text).error.code, 'registry_unavailable');
    }
    t.is(await callTool(name, 'echo', { text: 'without Redis' }), 'without Redis');
    const { id } = await standingContainer(name);
    await dockerInside('kill', id);
    await until('it is repaired', async () => (await standingContainer(name)).id !== id);

    await compose('start', 'redis');
    const redis = registry(t);
    await until('the registry is right again', async () => {
      const [records] = [...(await redis.held('replicas')).values()];
      const listed = [...(records ?? [])].filter(([, value]) => (value as Json).state === 'ready');
      const ids = listed.map(([, value]) => (value as { containerId: string }).containerId).sort();
      const running = await dockerInside('ps', '--no-trunc', '-q', '--filter', 'label=gantry.owner');
      const expected = running.split('\n').filter((line) => ids.includes(line));
      const mine = (await standingContainer(name)).id;
      return ids.includes(mine) && !ids.includes(id) && expected.length === ids.length;
    });
    await until('the registry knows that engine, Redis and orchestrator are well', async () => {
      const [services] = [...(await redis.held('services')).values()];
      const states = [...(services ?? [])].map(([part, value]) => `${part} ${(value as Json).state}`);
      return states.sort().join() === 'engine healthy,orchestrator healthy,redis healthy';
    });
    t.is((await server(name)).state, 'ready');
    t.is((await containersOf(name)).length, 1);
  },
);

test.serial(
  'the registry knows which session holds which replica, but not the id of a session',
  async (t) => {
    t.timeout(120_000);
    const session = await openSession(t, 'plain');
    const redis = registry(t);
    const key = createHash('sha256').update(session.id).digest('base64url');
    const pins = async () => [...(await redis.held('sessions')).values()][0] ?? new Map<string, unknown>();
    const pin = await until('the session is pinned', async () => (await pins()).get(key) as Json | undefined);
    const held = (await containersOf('plain')).filter(({ heldBy }) => heldBy === 'session');
    t.like(pin, { server: 'plain', principal: 'anonymous' });
    t.is(held.filter(({ replica }) => replica === pin.replica).length, 1);
    t.false(JSON.stringify([...(await pins())]).includes(session.id));
    await session.end();
    await until('the pin is gone', async () => !(await pins()).has(key));
  },
);

/** The registry of the stack itself: the tests of stores use a database of their own. */
function registry(t: ExecutionContext): RedisMeshStore {
  const url = new URL(process.env.GANTRY_TEST_REDIS_URL ?? '');
  url.pathname = '/0';
  const store = new RedisMeshStore({ url: url.href });
  t.teardown(() => store.close());
  return store;
}

async function onEngine(name: string): Promise<number> {
  const listed = await dockerInside('ps', '-a', '-q', '--filter', `label=gantry.server=${name}`);
  return listed.split('\n').filter((id) => id !== '').length;
}
