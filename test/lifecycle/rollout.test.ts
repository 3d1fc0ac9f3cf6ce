import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, running, settle, spec, until } from './rig.ts';
import { containers, ended, inState, SHARED, serving } from './rollout-rig.ts';

const TIMEOUTS = { callTimeoutMs: 600_000, maxCallMs: 600_000 };
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
