import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

async function oneReady(overrides = {}) {
  const all = rig();
  await all.mesh.apply([spec('one', overrides)]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  return all;
}

test('a session gets a process of its own, and its release removes the container', async (t) => {
  const { mesh, engine } = await oneReady();
  const replica = await mesh.openForSession('one', 'alice');
  t.is(replica.state.name, 'starting', 'the client itself completes the handshake');
  t.is(replica.identity.heldBy, 'session');
  t.like(mesh.get('one'), { replicas: { desired: 1, ready: 1, total: 2 } });
  await mesh.release(replica, 'deleted');
  t.is((await engine.list(OWNER)).length, 1);
  t.is(mesh.get('one').replicas.total, 1);
  await mesh.release(replica, 'deleted again');
});

test('over maxSessions there is no replica, and the caller learns when to come back', async (t) => {
  const { mesh } = await oneReady();
  const opened = await Promise.allSettled([1, 2, 3].map(() => mesh.openForSession('one', 'alice')));
  t.deepEqual(
    opened.map((one) => one.status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  const error = await t.throwsAsync<GantryError>(mesh.openForSession('one', 'bob'), {
    instanceOf: GantryError,
  });
  t.is(error?.code, 'no_replica');
  t.is(typeof error?.detail.retryAfterMs, 'number');
});

test('a session replica that dies is removed and not restarted', async (t) => {
  const { mesh, engine, clock } = await oneReady();
  const replica = await mesh.openForSession('one', 'alice');
  engine.process(replica.identity.containerId).exit(1);
  await replica.over;
  await until('its container is gone', async () => (await engine.list(OWNER)).length === 1);
  clock.advance(600_000);
  await settle();
  t.is(engine.created.length, 2);
  t.is(mesh.get('one').state, 'ready');
});

test('the first principal gets the standing replica, others one of their own that ends when idle', async (t) => {
  const { mesh, engine, clock } = await oneReady();
  const [standing] = mesh.standing('one');
  t.true((await mesh.heldFor('one', 'alice')) === standing);
  const bobs = await mesh.heldFor('one', 'bob');
  t.not(bobs, standing);
  t.is(bobs.state.name, 'ready');
  t.is(await mesh.heldFor('one', 'bob'), bobs);
  t.is(mesh.get('one').replicas.total, 2);
  clock.advance(1_000_000);
  await mesh.heldFor('one', 'bob');
  clock.advance(1_000_000);
  t.is(bobs.state.name, 'ready', 'a call in between counts');
  clock.advance(800_000);
  await bobs.over;
  await until('its container is gone', async () => (await engine.list(OWNER)).length === 1);
  t.is(standing?.state.name, 'ready');
});

test('a principal who keeps its replica and calls it for longer than sessionIdleMs does not lose it', async (t) => {
  const { mesh, clock } = await oneReady();
  await mesh.heldFor('one', 'alice');
  const bobs = await mesh.heldFor('one', 'bob');
  const { timeouts } = mesh.spec('one') ?? t.fail();
  // A caller without sessions holds on to the replica and does not ask for it again with each call.
  for (const _ of [1, 2, 3, 4]) {
    clock.advance(timeouts.sessionIdleMs / 2 + 1);
    await settle();
    t.is(bobs.state.name, 'ready');
    await bobs.call('tools/list', {}, timeouts);
  }
  clock.advance(timeouts.sessionIdleMs);
  await bobs.over;
  t.is(bobs.state.name, 'stopped');
});

test('with data every principal has a volume of its own, and the standing one is that of callers without a name', async (t) => {
  const { mesh, engine } = await oneReady({ data: '/data' });
  t.not(await mesh.heldFor('one', 'alice'), mesh.standing('one')[0]);
  t.true((await mesh.heldFor('one', 'anonymous')) === mesh.standing('one')[0]);
  await mesh.openForSession('one', 'alice');
  const volumes = engine.created.map((made) => made.volume?.name);
  t.is(volumes.length, 3);
  t.is(volumes[1], volumes[2], "alice's replicas share her data");
  t.not(volumes[0], volumes[1]);
  t.false(volumes.some((name) => name?.includes('alice')));
});

test('a shared server with data has one volume', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', { data: '/data', sharing: 'shared', replicas: 2 })]);
  await until('both are ready', () => all.mesh.standing('one').length === 2);
  t.is(new Set(all.engine.created.map((made) => made.volume?.name)).size, 1);
  t.is((await all.engine.volumes.list(OWNER)).length, 1);
});

test('a session that is just starting while its server stops leaves no container', async (t) => {
  const { mesh, engine } = await oneReady();
  const refused = t.throwsAsync<GantryError>(mesh.openForSession('one', 'alice'), {
    instanceOf: GantryError,
  });
  const heldRefused = t.throwsAsync<GantryError>(
    mesh.heldFor('one', 'alice').then(() => mesh.heldFor('one', 'bob')),
    { instanceOf: GantryError },
  );
  await mesh.shutdown(1000);
  t.is((await refused)?.code, 'no_replica');
  t.is((await heldRefused)?.code, 'no_replica');
  t.deepEqual(await engine.list(OWNER), []);
});
