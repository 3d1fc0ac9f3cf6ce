import test from 'ava';
import {
  api,
  type Container,
  callTool,
  compose,
  dockerOnHost,
  expectStatus,
  type Server,
  server,
  standingContainer,
} from '../e2e/harness.ts';
import { type McpSession, openSession, toolCall } from '../e2e/mcp-session.ts';
import { fixtureEntry, makeServer, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';
import { killAndStart, labelledContainers, orchestratorId, readyAgain } from './orchestrator.ts';

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
    t.true((await labelledContainers()).length >= 10);
    await killAndStart();
    await everythingIsAccountedFor();
    for (const session of sessions) t.is((await session.post(toolCall(1, 'echo'))).status, 200);
    t.is(await callTool('everything', 'echo', { message: 'again' }), 'Echo: again');
  },
);

test.serial(
  'when the process of the orchestrator is killed, the stack starts it again by itself',
  async (t) => {
    t.timeout(280_000);
    const [session] = await tenSessions(t);
    const orchestrator = await orchestratorId();
    const startedAt = await dockerOnHost('inspect', '-f', '{{.State.StartedAt}}', orchestrator);
    process.kill(Number(await dockerOnHost('inspect', '-f', '{{.State.Pid}}', orchestrator)), 'SIGKILL');
    await until(
      'another start',
      async () => (await dockerOnHost('inspect', '-f', '{{.State.StartedAt}}', orchestrator)) !== startedAt,
    );
    await readyAgain();
    await everythingIsAccountedFor();
    t.is((await session?.post(toolCall(1, 'echo')))?.status, 200);
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
    t.deepEqual(await labelledContainers('gantry.channel=attach'), []);
    const left = await labelledContainers('gantry.server');
    await compose('start', 'orchestrator');
    await readyAgain();
    await everythingIsAccountedFor();
    const taken = await labelledContainers('gantry.server');
    t.true(left.length > 0);
    t.deepEqual(
      left.filter((id) => !taken.includes(id)),
      [],
      'what a stop leaves is what the next start takes over',
    );
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

async function allReady(): Promise<void> {
  await Promise.all(CATALOGUE.map((name) => untilReady(name, 120_000)));
}

/**
 * Every labelled container the engine has is one that the API knows: one of as many standing replicas as there are to be,
 * or a session's, of which there are no more than sessions. The catalogue is ready.
 */
async function everythingIsAccountedFor(): Promise<void> {
  await until(
    'every container is accounted for',
    async () => {
      const onEngine = await labelledContainers('gantry.server');
      type Listed = { containers: Container[] };
      const { containers } = await expectStatus<Listed>(200, api('GET', '/api/v1/containers'));
      const known = containers.map((container) => container.id).sort();
      if (JSON.stringify(known) !== JSON.stringify(onEngine))
        throw new Error(`${onEngine.length} on the engine, ${known.length} known`);
      const { servers } = await expectStatus<{ servers: Server[] }>(200, api('GET', '/api/v1/servers'));
      for (const { name, state, replicas, sessions } of servers) {
        const own = containers.filter((one) => one.server === name);
        const standing = own.filter((one) => one.heldBy === 'pool').length;
        // A server that cannot start may have a container for a moment, while it is tried again.
        if (state === 'ready' && standing !== replicas.desired)
          throw new Error(`${standing} of ${replicas.desired} replicas of ${name} stand`);
        if (own.length - standing > sessions)
          throw new Error(`${own.length - standing} containers for ${sessions} sessions of ${name}`);
      }
      const late = servers.filter(({ name, state }) => CATALOGUE.includes(name) && state !== 'ready');
      if (late.length > 0) throw new Error(`${late.map(({ name }) => name).join(', ')} not ready`);
      return true;
    },
    { timeoutMs: ACCOUNTED_WITHIN_MS },
  );
}
