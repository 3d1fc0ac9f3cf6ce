import test from 'ava';
import { ConfigOfTest, containerIds, engineReplicas, PROGRAM, ready, rollout } from '../e2e/changes.ts';
import { api, callTool, dockerInside, expectStatus, metric, type Server, server } from '../e2e/harness.ts';
import { startLoad } from '../e2e/load.ts';
import { openSession } from '../e2e/mcp-session.ts';
import { fixtureEntry, makeServer, uniqueName, untilReady } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

const IN_FLIGHT = 20;
const QUICK = { watchMs: 3000, sessionsMs: 600_000 };

let file: ConfigOfTest;

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
  file = await ConfigOfTest.read();
});

test.afterEach.always(() => file.restore());

test.serial(
  'an edit of gantry.yaml under load rolls its server without a failed call, and the others keep their containers',
  async (t) => {
    t.timeout(280_000);
    const name = uniqueName('rolled');
    const roomy = uniqueName('roomy');
    const entry = { ...PROGRAM, sharing: 'shared', replicas: 2, env: { STEP: 'one' } };
    const servers = { [name]: entry, [roomy]: { ...PROGRAM, env: { STEP: 'one' } } };
    const added = await file.edit(servers);
    t.deepEqual([added.outcome, [...added.added].sort()], ['applied', [name, roomy].sort()]);
    await ready(name, 2);
    await untilReady(roomy);
    const session = await openSession(t, roomy);
    await session.call(1, 'remember', { text: 'before' });
    const onShared = await Promise.all([1, 2, 3, 4].map(() => openSession(t, name)));
    const before = await containerIds();
    const done = await metric('gantry_rollouts_total', `server="${name}"`, 'outcome="done"');

    const load = startLoad(name, 'sleep', (call) => ({ ms: [0, 20, 300, 1500][call % 4] }), {
      inFlight: IN_FLIGHT,
    });
    await until('the load is on', async () => load.answered() > IN_FLIGHT && (await inFlight(name)) >= 16);
    const changed = { ...entry, env: { STEP: 'two' } };
    const edited = { [name]: changed, [roomy]: { ...PROGRAM, env: { STEP: 'two' } } };
    const reload = await file.edit(edited, 'in place');
    t.deepEqual([...reload.changed].sort(), [name, roomy].sort());
    const sessionCalls = onShared.map((one, index) => one.call(`s${index}`, 'sleep', { ms: 2000 }));
    await rollout(name, 'watching');
    t.is(await step(name), 'two', 'new calls reach the new replicas');
    await rollout(name, 'done');
    await load.stop();
    t.deepEqual(load.failures, []);
    t.true(load.answered() > 100, `${load.answered()} calls`);
    for (const answer of await Promise.all(sessionCalls))
      t.deepEqual(answer.result?.content, [{ type: 'text', text: 'slept' }]);
    t.log(`${load.answered()} calls, ${IN_FLIGHT} in flight, none failed`);
    t.is(await metric('gantry_rollouts_total', `server="${name}"`, 'outcome="done"'), done + 1);

    const kept = await session.call(2, 'remember', { text: 'after' });
    t.deepEqual(
      kept.result?.content,
      [{ type: 'text', text: 'before,after' }],
      'the session kept its process',
    );
    const fresh = await openSession(t, roomy);
    const seen = await fresh.call(1, 'run', { argv: ['printenv', 'STEP'] });
    t.regex(JSON.stringify(seen.result), /two/);

    const after = await containerIds();
    for (const [other, ids] of before) {
      if (other === name) t.true(ids.every((id) => !after.get(other)?.includes(id)));
      else if (other !== roomy) t.deepEqual(after.get(other), ids, other);
    }
    const onEngine = await engineReplicas(name);
    t.deepEqual(onEngine, [`${name}.2-1`, `${name}.2-2`]);
    await session.end();
    await rollout(roomy, 'done');
  },
);

test.serial('an edit that breaks a server is taken back without a failed call, and says why', async (t) => {
  t.timeout(280_000);
  const name = uniqueName('broken');
  const entry = { ...PROGRAM, sharing: 'shared', replicas: 2 };
  await file.edit({ [name]: entry });
  await ready(name, 2);
  const before = await containerIds();
  const load = startLoad(name, 'sleep', (call) => ({ ms: [0, 50, 800][call % 3] }), { inFlight: IN_FLIGHT });
  await until('the load is on', async () => load.answered() > IN_FLIGHT);
  const broken = { ...entry, command: ['python3', '/opt/fixtures/exits_at_once.py'] };
  await file.edit({ [name]: broken });
  const seen = await rollout(name, 'rolled_back');
  t.is(seen.state, 'ready');
  t.is(seen.rollout?.reason?.code, 'exited');
  t.regex(seen.rollout?.reason?.stderr.join() ?? '', /FIXTURE_TOKEN is not set/);
  const atRollback = load.answered();
  await until('more calls are answered', async () => load.answered() > atRollback + 3 * IN_FLIGHT);
  await load.stop();
  t.deepEqual(load.failures, []);
  t.log(`${load.answered()} calls, ${IN_FLIGHT} in flight, none failed`);
  t.deepEqual(await containerIds(), before);
  await until('nothing of it is left', async () => (await engineReplicas(name)).length === 2);
  t.is(await metric('gantry_rollouts_total', `server="${name}"`, 'outcome="rolled_back"'), 1);
});

test.serial('new replicas that die in their first moments are taken back too', async (t) => {
  t.timeout(180_000);
  const name = uniqueName('shortlived');
  const entry = { ...PROGRAM, sharing: 'shared', rollout: { watchMs: 30_000 } };
  await file.edit({ [name]: entry });
  await untilReady(name);
  const before = await engineReplicas(name);
  const dies =
    "import os,sys,threading;sys.path.insert(0,'/opt/fixtures');threading.Timer(10,os._exit,[7]).start();import plain";
  await file.edit({ [name]: { ...entry, command: ['python3', '-c', dies] } });
  const watched = await rollout(name, 'watching');
  t.true(watched.rollout?.tools?.removed.includes('run'), 'the other program has fewer tools');
  const seen = await rollout(name, 'rolled_back');
  t.is(seen.rollout?.reason?.code, 'exited');
  t.is(await callTool(name, 'echo', { text: 'still' }), 'still');
  await until('only the old one is left', async () => (await engineReplicas(name)).join() === before.join());
});

test.serial('PATCH rolls a server in the same way, without a failed call', async (t) => {
  t.timeout(180_000);
  const entry = {
    ...(await fixtureEntry('inspector.py')),
    sharing: 'shared',
    replicas: 2,
    env: { STEP: 'one' },
  };
  const name = await makeServer(t, 'patched', { ...entry, rollout: QUICK });
  await ready(name, 2);
  const load = startLoad(name, 'sleep', (call) => ({ ms: [0, 50, 800][call % 3] }), { inFlight: IN_FLIGHT });
  await until('the load is on', async () => load.answered() > IN_FLIGHT);
  await expectStatus(202, api('PATCH', `/api/v1/servers/${name}`, { body: { env: { STEP: 'two' } } }));
  await rollout(name, 'done');
  t.is(await step(name), 'two');
  await expectStatus(
    202,
    api('PATCH', `/api/v1/servers/${name}`, {
      body: { command: ['python3', '/opt/fixtures/exits_at_once.py'] },
    }),
  );
  await rollout(name, 'rolled_back');
  t.is(await step(name), 'two');
  await load.stop();
  t.deepEqual(load.failures, []);
  t.log(`${load.answered()} calls, ${IN_FLIGHT} in flight, none failed`);
});

test.serial(
  'one process at a time has the volume of a shared server: the old one ends before the new one starts',
  async (t) => {
    t.timeout(180_000);
    const entry = {
      ...(await fixtureEntry('inspector.py')),
      sharing: 'shared',
      data: '/data',
      rollout: QUICK,
    };
    const name = await makeServer(t, 'volume', entry);
    await untilReady(name);
    await callTool(name, 'run', { argv: ['sh', '-c', 'echo kept > /data/file'] });
    const since = (await dockerInside('info', '--format', '{{.SystemTime}}')).trim();
    await expectStatus(202, api('PATCH', `/api/v1/servers/${name}`, { body: { env: { STEP: 'two' } } }));
    const seen = await rollout(name, 'done');
    t.is(seen.rollout?.mode, 'stop_first');
    t.regex(await callTool(name, 'run', { argv: ['cat', '/data/file'] }), /kept/);
    const until = (await dockerInside('info', '--format', '{{.SystemTime}}')).trim();
    const events = await dockerInside(
      ...['events', '--since', since, '--until', until, '--filter', `label=gantry.server=${name}`],
      ...['--filter', 'event=start', '--filter', 'event=die'],
      ...['--format', '{{.Action}} {{index .Actor.Attributes "gantry.replica"}}'],
    );
    const ofPool = events
      .trim()
      .split('\n')
      .filter((event) => !event.includes('-era-'));
    t.deepEqual(ofPool, [`die ${name}-1`, `start ${name}.2-1`]);
  },
);

async function inFlight(name: string): Promise<number> {
  return ((await server(name)) as Server & { callsInFlight: number }).callsInFlight;
}

async function step(name: string): Promise<string> {
  const { stdout } = JSON.parse(await callTool(name, 'run', { argv: ['printenv', 'STEP'] }));
  return stdout.trim();
}
