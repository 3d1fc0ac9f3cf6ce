import test from 'ava';
import { GantryError, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';

const TIMEOUTS = { callTimeoutMs: 600_000, maxCallMs: 600_000 };
const SHARED = { sharing: 'shared' } as const;

type All = ReturnType<typeof rig>;

/** A mesh with one server that is ready, its tools known. */
async function serving(overrides: Partial<ServerSpec> = {}) {
  const all = rig();
  await all.mesh.apply([spec('one', overrides)]);
  await until('all are ready', () => all.mesh.get('one').replicas.ready === (overrides.replicas ?? 1));
  await until('its tools are known', () => all.mesh.get('one').toolCount > 0);
  return all;
}

const inState = ({ mesh }: All, state: string) =>
  until(`the rollout is ${state}`, () => mesh.get('one').rollout?.state === state);

const containers = async ({ engine }: All) =>
  (await engine.list(OWNER)).map((facts) => facts.labels['gantry.replica']).sort();

const ended = ({ stated }: All) =>
  stated.flatMap((fact) => (fact.type === 'rollout.ended' ? [fact.outcome] : []));

test('new replicas come up beside the old ones, take over, are watched, and only then the old ones end', async (t) => {
  const all = await serving({ ...SHARED, replicas: 2 });
  const { mesh, clock } = all;
  const old = mesh.standing('one');
  await mesh.apply([spec('one', { ...SHARED, replicas: 2, args: ['-v'] })]);
  t.is(mesh.get('one').rollout?.state, 'starting');
  t.deepEqual(mesh.standing('one'), old, 'those that serve are the old ones');
  await inState(all, 'watching');
  t.deepEqual(
    mesh.standing('one').map(({ identity }) => identity.id),
    ['one.2-1', 'one.2-2'],
  );
  t.true(mesh.standing('one').every((replica) => replica.available));
  t.deepEqual(await containers(all), ['one-1', 'one-2', 'one.2-1', 'one.2-2']);
  t.like(mesh.get('one').replicas, { desired: 2, ready: 2, total: 4 });
  clock.advance(9_999);
  await settle();
  t.is(mesh.get('one').rollout?.state, 'watching');
  clock.advance(1);
  await inState(all, 'done');
  t.deepEqual(await containers(all), ['one.2-1', 'one.2-2']);
  t.deepEqual(ended(all), ['done']);
  t.true(
    all.stated.every((fact) => fact.type !== 'server.state' || fact.state !== 'draining'),
    'the server itself was ready all the time',
  );
});

test('a call on an old replica goes on until it ends, drainMs after the watch at the latest', async (t) => {
  const all = await serving(SHARED);
  const { mesh, clock, engine } = all;
  const [old] = mesh.standing('one');
  const busy = old?.call('never/answered', undefined, TIMEOUTS);
  const failure = t.throwsAsync(async () => busy, { instanceOf: GantryError });
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'] })]);
  await inState(all, 'watching');
  clock.advance(10_000);
  await inState(all, 'draining');
  t.is(mesh.get('one').callsInFlight, 1);
  clock.advance(14_000);
  await settle();
  t.is(old?.callsInFlight, 1);
  clock.advance(6_000);
  await failure;
  await inState(all, 'done');
  t.is((await engine.list(OWNER)).length, 1);
});

test('the difference of the tools is told, by name', async (t) => {
  const all = await serving();
  await all.mesh.apply([spec('one', running('retooled'))]);
  await inState(all, 'watching');
  const tools = { added: ['d'], removed: ['a'], changed: ['c'] };
  t.deepEqual(all.mesh.get('one').rollout?.tools, tools);
  t.deepEqual(
    all.stated.filter((fact) => fact.type === 'rollout.shifted'),
    [{ type: 'rollout.shifted', server: 'one', tools }],
  );
});

test('a definition that does not start is given up, and what served goes on serving', async (t) => {
  const all = await serving(SHARED);
  const { mesh, engine } = all;
  const [old] = mesh.standing('one');
  await mesh.apply([spec('one', { ...SHARED, ...running('dies'), network: 'internet' })]);
  await inState(all, 'rolled_back');
  t.deepEqual(mesh.standing('one'), [old]);
  t.true(old?.available);
  const view = mesh.get('one');
  t.like(view, { state: 'ready', network: 'none' }, 'what runs is shown, not what was wished');
  t.like(view.rollout?.reason, { code: 'exited', exitCode: 3, stderr: ['cannot find config'] });
  await until('nothing of it is left', async () => (await engine.list(OWNER)).length === 1);
  t.deepEqual(ended(all), ['rolled_back']);
  const tries = engine.created.length;
  all.clock.advance(600_000);
  await settle();
  t.is(engine.created.length, tries, 'it is not tried again by itself');
});

test('what fails for other reasons is given up too: silence, a missing image', async (t) => {
  for (const [image, code] of [
    ['mute', 'never_ready'],
    ['no-such-image', 'image_missing'],
  ] as const) {
    const all = await serving(SHARED);
    await all.mesh.apply([spec('one', { ...SHARED, ...running(image) })]);
    await settle();
    all.clock.advance(60_000);
    await inState(all, 'rolled_back');
    t.is(all.mesh.get('one').rollout?.reason?.code, code);
    t.is(all.mesh.get('one').state, 'ready');
  }
});

test('new replicas that end while they are watched give their place back', async (t) => {
  const all = await serving(SHARED);
  const { mesh, clock, engine } = all;
  const [old] = mesh.standing('one');
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'] })]);
  await inState(all, 'watching');
  const [fresh] = mesh.standing('one');
  clock.advance(5000);
  engine.process(fresh?.identity.containerId ?? '').exit(1);
  await inState(all, 'rolled_back');
  t.deepEqual(mesh.standing('one'), [old]);
  t.true(old?.available);
  t.is(mesh.get('one').rollout?.reason?.code, 'exited');
  await until('nothing of it is left', async () => (await engine.list(OWNER)).length === 1);
});

test('a start tries a change that was rolled back again; an edit back to what runs ends the matter', async (t) => {
  const all = await serving();
  const { mesh, engine } = all;
  await mesh.apply([spec('one', running('dies'))]);
  await inState(all, 'rolled_back');
  const tries = engine.created.length;
  mesh.start('one');
  await until('another try', () => engine.created.length > tries);
  await until('it failed as well', () => ended(all).length === 2);
  t.is(mesh.get('one').state, 'ready');
  await mesh.apply([spec('one')]);
  t.is(mesh.get('one').rollout, null);
  t.is(mesh.get('one').state, 'ready');
});

test('sessions stay on their replica until they end, new ones get a new one', async (t) => {
  const all = await serving();
  const { mesh, clock } = all;
  const before = await mesh.openForSession('one', 'alice');
  await mesh.apply([spec('one', { args: ['-v'] })]);
  await inState(all, 'watching');
  const after = await mesh.openForSession('one', 'alice');
  const image = (id: string) => all.engine.created.find((made) => made.name.includes(id))?.args;
  t.deepEqual(image(before.identity.id), []);
  t.deepEqual(image(after.identity.id), ['-v']);
  clock.advance(10_000);
  await inState(all, 'draining');
  await until('the old standing one is gone', async () => !(await containers(all)).includes('one-1'));
  clock.advance(1_000_000);
  await settle();
  t.is(before.state.name, 'starting', 'nobody has greeted it, and nobody has ended it');
  await mesh.release(before, 'deleted');
  await inState(all, 'done');
  t.is(after.state.name, 'starting');
});

test('sessions that do not end are ended after sessionsMs', async (t) => {
  const rollout = { watchMs: 0, sessionsMs: 60_000 };
  const all = await serving({ rollout });
  const { mesh, clock } = all;
  const session = await mesh.openForSession('one', 'alice');
  await mesh.apply([spec('one', { rollout, args: ['-v'] })]);
  await inState(all, 'draining');
  clock.advance(59_999);
  await settle();
  t.is(session.state.name, 'starting');
  clock.advance(1);
  await inState(all, 'done');
  t.is(session.state.name, 'stopped');
});

test('a session whose new replica cannot be started gets an old one, and the change is rolled back', async (t) => {
  const all = await serving();
  const { mesh, engine } = all;
  await mesh.apply([spec('one', { args: ['-v'] })]);
  await inState(all, 'watching');
  const create = engine.create.bind(engine);
  engine.create = async (made) => {
    if (made.args.includes('-v')) throw new Error('no space left');
    return create(made);
  };
  const session = await mesh.openForSession('one', 'alice');
  t.deepEqual(engine.created.at(-1)?.args, []);
  await inState(all, 'rolled_back');
  t.is(session.state.name, 'starting');
});

test('another change meanwhile replaces the one under way; the same one with other numbers is adopted', async (t) => {
  const all = await serving(SHARED);
  const { mesh, engine } = all;
  await mesh.apply([spec('one', { ...SHARED, ...running('mute') })]);
  await settle();
  await mesh.apply([spec('one', { ...SHARED, ...running('mute'), maxSessions: 7 })]);
  t.is(mesh.get('one').rollout?.state, 'starting');
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'], maxSessions: 8 })]);
  await inState(all, 'watching');
  t.deepEqual(ended(all), ['superseded']);
  t.is(mesh.spec('one')?.maxSessions, 8);
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'], maxSessions: 9 })]);
  t.is(mesh.spec('one')?.maxSessions, 9);
  all.clock.advance(10_000);
  await inState(all, 'done');
  t.deepEqual(await containers(all), ['one.3-1']);
  t.is(engine.created.length, 3);
});

test('a stop, a removal and a shutdown wait for no rollout and leave nothing behind', async (t) => {
  for (const [step, image] of [
    ['starting', 'mute'],
    ['watching', 'retooled'],
  ] as const) {
    for (const end of ['stop', 'remove', 'shutdown'] as const) {
      const all = await serving();
      await all.mesh.apply([spec('one', running(image))]);
      await inState(all, step);
      await settle();
      if (end === 'stop') all.mesh.stop('one');
      const over = end === 'remove' ? all.mesh.apply([]) : end === 'shutdown' ? all.mesh.shutdown(0) : null;
      await until(`${step}, ${end}: nothing is left`, async () => {
        all.clock.advance(0); // deadlines of no length are over with the next look at the clock
        return (await all.engine.list(OWNER)).length === 0;
      });
      await over;
      if (end === 'stop') t.is(all.mesh.get('one').state, 'stopped');
      if (end !== 'shutdown') t.deepEqual(ended(all), ['superseded']);
    }
  }
});

test('a server that does not serve is replaced at once: there is nothing to go back to', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', running('dies'))]);
  await until('it has failed', () => all.mesh.get('one').reason?.code === 'exited');
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.is(all.mesh.get('one').rollout, null);
  await until('the old one is gone', async () => (await containers(all)).join() === 'one.2-1');
});

test('a change of a stopped server does not start it', async (t) => {
  const all = await serving();
  all.mesh.stop('one');
  await until('it is stopped', () => all.mesh.get('one').state === 'stopped');
  await all.mesh.apply([spec('one', { args: ['-v'] })]);
  await settle();
  t.is(all.mesh.get('one').state, 'stopped');
  t.deepEqual(await containers(all), []);
  all.mesh.start('one');
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.deepEqual(all.engine.created.at(-1)?.args, ['-v']);
});

test('a volume that one process has had is never opened by two: the old one ends first, and comes back', async (t) => {
  const held = { ...SHARED, data: '/data' };
  const all = await serving(held);
  const { mesh, engine, clock } = all;
  let most = 0;
  const start = engine.start.bind(engine);
  engine.start = async (id) => {
    await start(id);
    const up = (await engine.list(OWNER)).filter(({ state }) => state === 'running');
    most = Math.max(most, up.length);
  };
  await mesh.apply([spec('one', { ...held, args: ['-v'] })]);
  await inState(all, 'watching');
  t.is(mesh.get('one').rollout?.mode, 'stop_first');
  clock.advance(10_000);
  await inState(all, 'done');
  t.deepEqual(await containers(all), ['one.2-1']);
  await mesh.apply([spec('one', { ...held, ...running('dies') })]);
  await until('it is back', () => ended(all).includes('rolled_back') && mesh.get('one').state === 'ready');
  t.deepEqual(await containers(all), ['one.2-1']);
  t.deepEqual(engine.created.at(-1)?.args, ['-v']);
  t.is(most, 1);
});

test('an image that cannot be made stops nothing, where the old one would have to end first', async (t) => {
  const held = { ...SHARED, data: '/data' };
  const all = rig({
    prepareImage: async ({ source }) => {
      if (source.kind !== 'image' || source.image !== 'echo') throw new Error('cannot be built');
      return { tag: 'echo', command: null, resolved: null, hasBridge: false };
    },
  });
  await all.mesh.apply([spec('one', held)]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const [old] = all.mesh.standing('one');
  await all.mesh.apply([spec('one', { ...held, ...running('other') })]);
  await inState(all, 'rolled_back');
  t.true(old?.available);
  t.deepEqual(all.mesh.standing('one'), [old]);
});

test('however changes, faults and time are mixed, it ends with the last definition, and nothing else', async (t) => {
  const images = ['echo', 'retooled', 'dies', 'mute'];
  for (let seed = 1; seed <= 30; seed++) {
    let state = seed;
    const next = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const all = await serving(SHARED);
    const { mesh, engine, clock } = all;
    let image = 'echo';
    for (let step = 0; step < 12; step++) {
      const what = next(4);
      if (what <= 1) {
        image = images[next(images.length)] ?? 'echo';
        await mesh.apply([spec('one', { ...SHARED, ...running(image), maxSessions: next(3) })]);
      } else if (what === 2) clock.advance(next(15_000));
      else {
        const [victim] = mesh.standing('one');
        if (victim !== undefined && next(2) === 0)
          await engine.kill(victim.identity.containerId).catch(() => {});
      }
      for (let turn = next(40); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    }
    await mesh.apply([spec('one', { ...SHARED, ...running('retooled') })]);
    for (let round = 0; round < 8; round++) {
      await settle();
      clock.advance(40_000);
    }
    await until(`seed ${seed}: it is ready`, () => mesh.get('one').state === 'ready');
    await until(`seed ${seed}: one is left`, async () => {
      clock.advance(1000);
      return (await engine.list(OWNER)).length === 1;
    });
    t.deepEqual(mesh.spec('one')?.source, running('retooled').source, `seed ${seed}`);
    t.is(mesh.get('one').toolCount, 3, `seed ${seed}`);
    t.true(mesh.standing('one')[0]?.available, `seed ${seed}`);
  }
});
