import test from 'ava';
import {
  api,
  type Container,
  callTool,
  dockerInside,
  expectStatus,
  type Json,
  type Server,
  server,
} from '../e2e/harness.ts';
import { fixtureEntry, makeServer, uniqueName, untilReady } from '../e2e/own-server.ts';
import { rawRequest } from '../e2e/raw-http.ts';
import { type SecondOrchestrator, startSecondOrchestrator } from '../e2e/second-orchestrator.ts';
import { until } from '../e2e/until.ts';

let second: SecondOrchestrator;
let before: readonly string[];
let isEnded = false;

test.before(async () => {
  await untilReady('plain');
  before = await startsOfTheFirst();
  // A server of the same name as one of the stack.
  second = await startSecondOrchestrator({ servers: { plain: await fixtureEntry('plain.py') } });
});

test.after.always(async () => {
  if (!isEnded) await second?.end();
});

test.serial(
  'two orchestrators on one engine and one Redis have their own servers and containers',
  async (t) => {
    const made = await makeServer(t, 'of-the-first', await fixtureEntry('plain.py'));
    const own = uniqueName('of-the-second');
    const body = { name: own, ...(await fixtureEntry('plain.py')) };
    t.is((await ofSecond('POST', '/api/v1/servers', body)).status, 202);
    await untilReady(made);
    // What is stored is read at the start.
    await second.killAndStart();
    const { servers } = await expectStatus<{ servers: Server[] }>(200, ofSecond('GET', '/api/v1/servers'));
    t.deepEqual(servers.map(({ name }) => name).sort(), [own, 'plain'].sort());
    t.is(servers.find(({ name }) => name === 'plain')?.replicas.desired, 1);
    t.false((await namesOfTheFirst()).includes(own));
    await scaleOfTheFirst(1);

    type Listed = { containers: Container[] };
    const { containers } = await expectStatus<Listed>(200, ofSecond('GET', '/api/v1/containers'));
    t.true(containers.length > 0);
    for (const { id, labels } of containers) {
      t.is(labels['gantry.owner'], second.owner);
      t.is((await api('GET', `/api/v1/containers/${id}`)).status, 404);
      t.is((await api('POST', `/api/v1/containers/${id}/kill`)).status, 404);
    }
    t.is(await callTool('plain', 'echo', { text: 'first' }), 'first');
    t.is((await ofSecond('DELETE', `/api/v1/servers/${own}`)).status, 204);
  },
);

test.serial(
  'a second orchestrator that is killed removes after its start what it had, and nothing else',
  async (t) => {
    const own = await second.containersOnEngine();
    await second.killAndStart();
    const now = await second.containersOnEngine();
    t.true(now.length > 0);
    t.deepEqual(
      now.filter((id) => own.includes(id)),
      [],
    );
    t.deepEqual(await startsOfTheFirst(), before);
  },
);

test.serial(
  'a second orchestrator leaves nothing on the engine when it ends, and takes nothing of the first',
  async (t) => {
    await second.end();
    isEnded = true;
    t.deepEqual(await second.containersOnEngine(), []);
    t.deepEqual(await startsOfTheFirst(), before);
    t.is(await callTool('plain', 'echo', { text: 'unharmed' }), 'unharmed');
  },
);

/** Which containers of the stack's own `plain` run, and since when. */
async function startsOfTheFirst(): Promise<readonly string[]> {
  const listed = await dockerInside(
    ...['ps', '-q', '--no-trunc'],
    ...['--filter', 'label=gantry.owner=gantry', '--filter', 'label=gantry.server=plain'],
  );
  const ids = listed.split('\n').filter((id) => id !== '');
  const told = await dockerInside('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...ids);
  return told.trim().split('\n').sort();
}

async function scaleOfTheFirst(replicas: number): Promise<void> {
  await expectStatus(202, api('POST', '/api/v1/servers/plain/scale', { body: { replicas } }));
  await until(`plain has ${replicas} replicas`, async () => {
    const seen = (await server('plain')).replicas;
    return seen.ready === replicas && seen.total === replicas;
  });
}

async function namesOfTheFirst(): Promise<readonly string[]> {
  const { servers } = await expectStatus<{ servers: Server[] }>(200, api('GET', '/api/v1/servers'));
  return servers.map(({ name }) => name);
}

function ofSecond(method: string, path: string, body?: Json) {
  return rawRequest(new URL(path, second.url), {
    method,
    headers: {
      authorization: `Bearer ${second.adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
