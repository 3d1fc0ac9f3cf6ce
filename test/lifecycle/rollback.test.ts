import test from 'ava';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';
import { ended, inState, SHARED, serving } from './rollout-rig.ts';

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
