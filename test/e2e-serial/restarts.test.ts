import test from 'ava';
import {
  api,
  type Container,
  callTool,
  compose,
  dockerInside,
  dockerOnHost,
  expectStatus,
  type Server,
  server,
  standingContainer,
} from '../e2e/harness.ts';
import { type McpSession, openSession, toolCall } from '../e2e/mcp-session.ts';
import { fixtureEntry, makeServer, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

const CATALOGUE = ['everything', 'filesystem', 'memory', 'sequential-thinking', 'clock'];
/** From /readyz being 200 again. */
const ACCOUNTED_WITHIN_MS = 30_000;

test.before(async (t) => {
  t.timeout(600_000);
  await Promise.all(CATALOGUE.map((name) => untilReady(name, 590_000)));
});

test.serial(
  'after a kill of the orchestrator with ten sessions open and a start of it, nothing strays and all is ready again',
  async (t) => {
    t.timeout(280_000);
    const sessions = await tenSessions(t);
    const before = await labelledContainers();
    t.true(before.length >= 10);
    const orchestrator = await orchestratorId();
    await dockerOnHost('kill', '--signal', 'KILL', orchestrator);
    await dockerOnHost('start', orchestrator);
    await readyAgain();
    await everythingIsAccountedFor(before);
    for (const session of sessions) t.is((await session.post(toolCall(1, 'echo'))).status, 404);
    t.is(await callTool('everything', 'echo', { message: 'again' }), 'Echo: again');
  },
);

test.serial(
  'when the process of the orchestrator is killed, the stack starts it again by itself',
  async (t) => {
    t.timeout(280_000);
    const [session] = await tenSessions(t);
    const before = await labelledContainers();
    const orchestrator = await orchestratorId();
    const startedAt = await dockerOnHost('inspect', '-f', '{{.State.StartedAt}}', orchestrator);
    process.kill(Number(await dockerOnHost('inspect', '-f', '{{.State.Pid}}', orchestrator)), 'SIGKILL');
    await until(
      'another start',
      async () => (await dockerOnHost('inspect', '-f', '{{.State.StartedAt}}', orchestrator)) !== startedAt,
    );
    await readyAgain();
    await everythingIsAccountedFor(before);
    t.is((await session?.post(toolCall(1, 'echo')))?.status, 404);
  },
);

test.serial(
  'servers made over the API survive a restart of the orchestrator, and its stop drains calls in flight',
  async (t) => {
    t.timeout(280_000);
    const name = await makeServer(t, 'kept', { ...(await fixtureEntry('plain.py')), env: { KEPT: 'yes' } });
    await untilReady(name);
    const session = await openSession(t, name);
    const slow = session.call(1, 'sleep', { ms: 4000 });
    await until(
      'the call runs',
      async () => ((await server(name)) as Server & { callsInFlight: number }).callsInFlight > 0,
    );
    const stopped = compose('stop', 'orchestrator');
    const answer = await slow;
    t.deepEqual(answer.result?.content, [{ type: 'text', text: 'slept' }]);
    await stopped;
    const exitCode = await dockerOnHost('inspect', '-f', '{{.State.ExitCode}}', await orchestratorId());
    t.is(exitCode, '0');
    t.deepEqual(await labelledContainers(), []);
    await compose('start', 'orchestrator');
    await readyAgain();
    const after = await untilReady(name);
    t.like(after, { origin: 'api', envKeys: ['KEPT'] });
    await allReady();
  },
);

test.serial('after the engine is restarted, the mesh comes back by itself', async (t) => {
  t.timeout(280_000);
  const before = await standingContainer('everything');
  await compose('restart', 'dind');
  await until('another container', async () => (await standingContainer('everything')).id !== before.id, {
    timeoutMs: 150_000,
  });
  await allReady();
  t.is(await callTool('everything', 'echo', { message: 'back' }), 'Echo: back');
});

test.serial(
  'without Redis the servers of the file go on serving, and readiness says what is missing',
  async (t) => {
    t.timeout(180_000);
    await compose('stop', 'redis');
    t.teardown(() => compose('start', 'redis'));
    const notReady = await until('not ready', async () => {
      const answer = await api('GET', '/readyz');
      return answer.status === 503 && answer;
    });
    t.not(JSON.parse(notReady.text).checks.redis, 'ok');
    t.is(await callTool('everything', 'echo', { message: 'without Redis' }), 'Echo: without Redis');
    const refused = await api('POST', '/api/v1/servers', {
      body: { name: 'refused', image: 'x:1', command: ['x'] },
    });
    t.is(refused.status, 503);
    t.is(JSON.parse(refused.text).error.code, 'registry_unavailable');
    await compose('start', 'redis');
    await readyAgain();
  },
);

async function tenSessions(t: Parameters<typeof openSession>[0]): Promise<readonly McpSession[]> {
  const names = Array.from({ length: 10 }, (_, index) =>
    index % 2 === 0 ? 'everything' : 'sequential-thinking',
  );
  const sessions: McpSession[] = [];
  for (const name of names) sessions.push(await openSession(t, name));
  return sessions;
}

async function orchestratorId(): Promise<string> {
  return (await compose('ps', '-a', '-q', 'orchestrator')).trim();
}

async function labelledContainers(): Promise<readonly string[]> {
  const listed = await dockerInside(
    'ps',
    '-a',
    '--no-trunc',
    '--filter',
    'label=gantry.owner',
    '--format',
    '{{.ID}}',
  );
  return listed
    .split('\n')
    .filter((id) => id !== '')
    .sort();
}

function readyAgain(): Promise<boolean> {
  return until('/readyz is 200', async () => (await api('GET', '/readyz')).status === 200, {
    timeoutMs: 90_000,
  });
}

async function allReady(): Promise<void> {
  await Promise.all(CATALOGUE.map((name) => untilReady(name, 120_000)));
}

/**
 * Every labelled container the engine has is one that the API knows, none of them is from before, and there are as many
 * as standing replicas. The catalogue is ready.
 */
async function everythingIsAccountedFor(before: readonly string[]): Promise<void> {
  await until(
    'every container is accounted for',
    async () => {
      const onEngine = await labelledContainers();
      type Listed = { containers: Container[] };
      const { containers } = await expectStatus<Listed>(200, api('GET', '/api/v1/containers'));
      const known = containers.map((container) => container.id).sort();
      if (JSON.stringify(known) !== JSON.stringify(onEngine))
        throw new Error(`${onEngine.length} on the engine, ${known.length} known`);
      const old = onEngine.filter((id) => before.includes(id));
      if (old.length > 0) throw new Error(`${old.length} containers are from before`);
      const strangers = containers.filter((container) => container.heldBy !== 'pool');
      if (strangers.length > 0) throw new Error(`${strangers.length} containers are held by sessions`);
      const { servers } = await expectStatus<{ servers: Server[] }>(200, api('GET', '/api/v1/servers'));
      const standing = servers.reduce(
        (sum, one) => sum + (one.state === 'ready' ? one.replicas.desired : 0),
        0,
      );
      // A server that cannot start may have a container for a moment, while it is tried again.
      const trying = containers.filter(
        (one) => servers.find(({ name }) => name === one.server)?.state !== 'ready',
      );
      if (onEngine.length - trying.length !== standing)
        throw new Error(`${onEngine.length} containers, ${standing} standing`);
      const late = servers.filter(({ name, state }) => CATALOGUE.includes(name) && state !== 'ready');
      if (late.length > 0) throw new Error(`${late.map(({ name }) => name).join(', ')} not ready`);
      return true;
    },
    { timeoutMs: ACCOUNTED_WITHIN_MS },
  );
}
