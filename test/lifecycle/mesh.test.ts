import test, { type ExecutionContext } from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';

const ready = ({ mesh }: ReturnType<typeof rig>, name: string) =>
  until(`${name} is ready`, () => mesh.get(name).state === 'ready');

const TIMEOUTS = { callTimeoutMs: 60_000, maxCallMs: 60_000 };

const applied = ({ stated }: ReturnType<typeof rig>) =>
  stated.filter((fact) => fact.type === 'config.applied');

/** One shared server with a call in flight that is never answered, and the end of that call. */
async function busy(t: ExecutionContext) {
  const all = rig();
  await all.mesh.apply([spec('one', { sharing: 'shared' })]);
  await ready(all, 'one');
  const call = all.mesh.standing('one')[0]?.call('never/answered', undefined, TIMEOUTS);
  const failure = t.throwsAsync(async () => call, { instanceOf: GantryError });
  return { ...all, failure };
}

test('whoever lets calls wait is told in the same turn that a replica takes them', async (t) => {
  const told: string[] = [];
  const { mesh } = rig({
    onChange: (server) => {
      if (mesh.standing(server).some((replica) => replica.available)) told.push(server);
    },
  });
  await mesh.apply([spec('one'), spec('two', running('mute'))]);
  await until('one is ready', () => mesh.get('one').state === 'ready');
  t.true(told.length > 0);
  t.false(told.includes('two'));
});

test('a server becomes ready by a handshake, and all pages of its tools are kept', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', { replicas: 2 })]);
  await until('both replicas are ready', () => all.mesh.get('one').replicas.ready === 2);
  await until('its tools are known', () => all.mesh.get('one').toolCount > 0);
  const view = all.mesh.get('one');
  t.like(view, { state: 'ready', reason: null, toolCount: 3, protocolVersion: '2025-06-18', era: 'legacy' });
  t.deepEqual(view.replicas, { desired: 2, ready: 2, total: 2, min: 2, max: 2, spare: 0 });
  t.deepEqual(
    all.mesh.tools('one').map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  const labels = (await all.mesh.containers.list()).map((container) => container.labels);
  t.like(labels[0], {
    'gantry.owner': OWNER,
    'gantry.server': 'one',
    'gantry.replica': 'one-1',
    'gantry.generation': '1',
  });
});

test('a server is ready at its handshake, whatever becomes of the list of its tools', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', running('unlisted'))]);
  await ready(all, 'one');
  t.deepEqual(all.mesh.tools('one'), []);
  t.is(all.mesh.get('one').toolCount, 0);
  t.is(all.mesh.standing('one').length, 1);
  t.throws(() => all.mesh.tools('other'), { message: /no server named other/ });
});

test('apply brings exactly the difference: unchanged servers keep their containers', async (t) => {
  const all = rig();
  const { mesh, engine } = all;
  await mesh.apply([spec('kept'), spec('edited'), spec('gone')]);
  for (const name of ['kept', 'edited', 'gone']) await ready(all, name);
  const before = new Map((await mesh.containers.list()).map((one) => [one.server, one.id]));
  await mesh.apply([spec('kept'), spec('edited', { args: ['-v'] }), spec('new')]);
  t.like(applied(all).at(-1), { added: 1, changed: 1, removed: 1 });
  for (const name of ['kept', 'new']) await ready(all, name);
  await until('the new one serves', () => mesh.get('edited').rollout?.state === 'watching');
  all.clock.advance(10_000);
  await until('the old one is gone', () => mesh.get('edited').rollout?.state === 'done');
  const after = new Map((await mesh.containers.list()).map((one) => [one.server, one.id]));
  t.is(after.get('kept'), before.get('kept'));
  t.not(after.get('edited'), before.get('edited'));
  t.is(mesh.spec('gone'), null);
  t.is((await engine.list(OWNER)).length, 3);
  const changes = applied(all).length;
  await mesh.apply([spec('kept'), spec('edited', { args: ['-v'] }), spec('new')]);
  t.is(applied(all).length, changes);
});

test('a change is seen at once and waits for no drain; a change back meanwhile is not lost', async (t) => {
  const { mesh, engine, clock, failure } = await busy(t);
  await mesh.apply([spec('one', { sharing: 'shared', network: 'internet', replicas: 2 })]);
  t.like(mesh.get('one'), { state: 'ready', network: 'internet' });
  t.is(mesh.get('one').replicas.desired, 2);
  await mesh.apply([spec('one', { sharing: 'shared', args: ['-v'] })]);
  await mesh.apply([spec('one', { sharing: 'shared' })]);
  t.is(mesh.get('one').network, 'none');
  await until('what was begun is gone', async () => (await engine.list(OWNER)).length === 1);
  t.is(mesh.get('one').rollout?.state, 'superseded');
  t.deepEqual(mesh.spec('one'), spec('one', { sharing: 'shared' }));
  clock.advance(30_000);
  await settle();
  t.is(mesh.get('one').callsInFlight, 1, 'it never left the replica that it was on');
  const removal = mesh.apply([]);
  await settle();
  clock.advance(20_000);
  await Promise.all([failure, removal]);
});

test('a removal resolves when the containers are gone, calls in flight included', async (t) => {
  const { mesh, engine, clock, failure } = await busy(t);
  let isGone = false;
  const removal = mesh.apply([]).then(() => {
    isGone = true;
  });
  await settle();
  t.false(isGone);
  t.is(mesh.get('one').state, 'draining');
  clock.advance(20_000);
  await removal;
  await failure;
  t.deepEqual(await engine.list(OWNER), []);
  t.deepEqual(mesh.list(), []);
});

test('a change that no container is made of replaces none', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await ready(all, 'one');
  await all.mesh.apply([spec('one', { maxSessions: 9, replicas: 2 })]);
  await until('two are ready', () => all.mesh.get('one').replicas.ready === 2);
  t.is(all.engine.created.length, 2);
  all.mesh.scale('one', 1);
  await until('one is left', () => all.mesh.replicas('one').length === 1);
  t.is((await all.engine.list(OWNER)).length, 1);
  t.throws(() => all.mesh.scale('one', -1), { instanceOf: GantryError, message: /0 to 100/ });
});

test('one failing server does not keep the others from getting ready', async (t) => {
  const all = rig();
  const broken = ['w', 'x', 'y', 'z'].map((name) => spec(name, running('mute')));
  await all.mesh.apply([...broken, spec('fine'), spec('missing', running('no-such-image'))]);
  // More silent servers than places at the gate: they give theirs up after a while.
  await settle();
  all.clock.advance(5000);
  await ready(all, 'fine');
  await until('the missing image is named', () => all.mesh.get('missing').state === 'failed');
  t.is(all.mesh.get('missing').reason?.code, 'image_missing');
  t.is(all.mesh.get('w').state, 'starting');
});

test('a server that does not answer in time fails as never_ready, with its last words', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('slow', running('mute'))]);
  await until('it runs', () => all.mesh.replicas('slow').length === 1);
  await settle();
  all.clock.advance(60_000);
  await until('it failed', () => all.mesh.get('slow').state === 'failed');
  const { reason, nextTryAt } = all.mesh.get('slow');
  t.is(reason?.code, 'never_ready');
  t.deepEqual(reason?.stderr, ['waiting for a database']);
  t.true(Date.parse(nextTryAt ?? '') >= all.clock.now());
  t.deepEqual(await all.engine.list(OWNER), []);
});

test('a container whose limits were not applied is removed, and the reason names the limit', async (t) => {
  const all = rig();
  all.engine.limitsApplied = false;
  await all.mesh.apply([spec('one')]);
  await until('it failed', () => all.mesh.get('one').state === 'failed');
  t.is(all.mesh.get('one').reason?.code, 'limits_not_applied');
  t.regex(all.mesh.get('one').reason?.message ?? '', /memory/);
  t.deepEqual(await all.engine.list(OWNER), []);
});

test('a server that exits at once is retried with backoff and ends as a crash loop that says when it is tried again', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('dies', running('dies'))]);
  for (let failures = 1; failures < 5; failures++) {
    await until(
      `failure ${failures}`,
      () => all.engine.created.length >= failures && all.mesh.get('dies').nextTryAt !== null,
    );
    t.is(all.mesh.get('dies').state, 'starting');
    t.like(all.mesh.get('dies').reason, { code: 'exited', exitCode: 3, stderr: ['cannot find config'] });
    all.clock.advance(10_000);
    await until('the next try', () => all.engine.created.length > failures);
  }
  await until('it is a crash loop', () => all.mesh.get('dies').state === 'failed');
  const { reason, nextTryAt } = all.mesh.get('dies');
  t.like(reason, { code: 'crash_loop', exitCode: 3, stderr: ['cannot find config'] });
  const tries = all.engine.created.length;
  all.clock.advance(Date.parse(nextTryAt ?? '') - all.clock.now());
  await until('it is tried again', () => all.engine.created.length === tries + 1);
});

test('the verbs of a server stop it, start it and start it anew', async (t) => {
  const all = rig();
  const { mesh, engine } = all;
  await mesh.apply([spec('one')]);
  await ready(all, 'one');
  mesh.stop('one');
  await until('it is stopped', () => mesh.get('one').state === 'stopped');
  t.deepEqual(await engine.list(OWNER), []);
  await t.throwsAsync(mesh.openForSession('one', 'anonymous'), {
    instanceOf: GantryError,
    message: /stopped/,
  });
  mesh.start('one');
  await ready(all, 'one');
  const [before] = await mesh.containers.list();
  mesh.restart('one');
  await until('a new one is ready', async () => {
    const [after] = await mesh.containers.list();
    return after !== undefined && after.id !== before?.id && mesh.get('one').state === 'ready';
  });
  t.throws(() => mesh.stop('other'), { message: /no server named other/ });
});

test('shutdown lets calls finish and leaves no container', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', { sharing: 'shared', replicas: 2 })]);
  await until('both are ready', () => all.mesh.standing('one').length === 2);
  const [replica] = all.mesh.standing('one');
  const call = replica?.call('never/answered', undefined, { callTimeoutMs: 60_000, maxCallMs: 60_000 });
  const failure = t.throwsAsync(async () => call, { instanceOf: GantryError });
  const down = all.mesh.shutdown(10_000);
  await until(
    'one is gone, the busy one is draining',
    async () => (await all.engine.list(OWNER)).length === 1,
  );
  t.is(replica?.state.name, 'draining');
  all.clock.advance(5000);
  await down;
  t.is((await failure)?.message.includes('one'), true);
  t.deepEqual(await all.engine.list(OWNER), []);
});
