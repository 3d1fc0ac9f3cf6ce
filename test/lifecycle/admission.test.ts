import test from 'ava';
import type { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

const MiB = 1024 ** 2;
/** What `spec` gives a replica. */
const EACH = 64 * MiB;

test('what does not fit is refused with the reason, and the engine gets no container for it', async (t) => {
  const { mesh, engine, stated } = rig({ memoryBudgetBytes: 2 * EACH });
  await mesh.apply([spec('one')]);
  await until('it is ready', () => mesh.get('one').state === 'ready');
  const first = await mesh.openForSession('one', 'alice');
  const error = await t.throwsAsync<GantryError>(mesh.openForSession('one', 'bob'));
  t.is(error?.code, 'no_replica');
  t.like(error?.detail, {
    server: 'one',
    reason: 'no_memory',
    neededBytes: EACH,
    freeBytes: 0,
    budgetBytes: 2 * EACH,
  });
  t.is(typeof error?.detail.retryAfterMs, 'number');
  t.is(engine.created.length, 2);
  t.true(stated.some((fact) => fact.type === 'memory.refused' && fact.claimant === 'session'));
  await mesh.release(first, 'deleted');
  await t.notThrowsAsync(mesh.openForSession('one', 'bob'));
});

test('a standing replica waits, says so, and is started as soon as there is room', async (t) => {
  const { mesh, engine, clock } = rig({ memoryBudgetBytes: EACH });
  await mesh.apply([spec('one'), spec('two')]);
  await until('one of them is ready', () => mesh.list().some(({ state }) => state === 'ready'));
  await settle();
  const waits = mesh.list().find(({ state }) => state !== 'ready');
  const ready = mesh.list().find(({ state }) => state === 'ready');
  t.like(waits, { state: 'starting', reason: { code: 'no_memory' } });
  t.not(waits?.nextTryAt, null);
  t.is((await engine.list(OWNER)).length, 1);
  mesh.stop(ready?.name ?? '');
  await until('it is gone', async () => (await engine.list(OWNER)).length === 0);
  clock.advance(2000);
  await until('now it fits', () => mesh.get(waits?.name ?? '').state === 'ready');
});

test('a session does not take what a standing replica waits for', async (t) => {
  const { mesh, clock } = rig({ memoryBudgetBytes: 2.5 * EACH });
  await mesh.apply([spec('one')]);
  await until('it is ready', () => mesh.get('one').state === 'ready');
  const session = await mesh.openForSession('one', 'alice');
  await mesh.apply([spec('one'), spec('two')]);
  await until('it waits', () => mesh.get('two').reason?.code === 'no_memory');
  await mesh.release(session, 'deleted');
  await t.throwsAsync(mesh.openForSession('one', 'bob'), { message: /memory budget/ });
  clock.advance(2000);
  await until('it has what it waited for', () => mesh.get('two').state === 'ready');
});

test('a spare gives way to a session of another server, and comes back later', async (t) => {
  const { mesh, clock } = rig({ memoryBudgetBytes: 3 * EACH });
  const warm = { max: 1, warm: 1, targetInFlight: 4, scaleDownAfterMs: 300_000 };
  await mesh.apply([spec('one', { scaling: warm }), spec('two')]);
  await until('the spare waits', () => mesh.get('one').replicas.spare === 1);
  await t.throwsAsync(mesh.openForSession('two', 'alice'), { message: /memory budget/ });
  await until('the spare is gone', () => mesh.get('one').replicas.spare === 0);
  await settle();
  const session = await mesh.openForSession('two', 'alice');
  await mesh.release(session, 'deleted');
  t.is(mesh.get('one').replicas.spare, 0);
  for (let passed = 0; passed < 90; passed++) {
    clock.advance(1000);
    await settle();
  }
  t.is(mesh.get('one').replicas.spare, 1);
});

test('a paused replica keeps its memory, a stopped one has given it back', async (t) => {
  const { mesh, stated } = rig();
  const committed = () =>
    stated.flatMap((fact) => (fact.type === 'memory.committed' ? [fact.committedBytes] : [])).at(-1);
  await mesh.apply([spec('one')]);
  await until('it is ready', () => mesh.get('one').state === 'ready');
  const [container] = await mesh.containers.list();
  const id = container?.id ?? '';
  await mesh.containers.act(id, 'pause');
  t.is(committed(), EACH);
  await mesh.containers.act(id, 'stop');
  await until('it is given back', () => committed() === 0);
  await mesh.containers.act(id, 'start');
  await until('it is ready again', () => mesh.get('one').state === 'ready');
  t.is(committed(), EACH);
});

test('without a configured budget it is worked out from what the engine or its container has', async (t) => {
  const { mesh, stated } = rig({ engineMemoryBytes: 1024 * MiB });
  await mesh.apply([spec('one')]);
  await until('it is ready', () => mesh.get('one').state === 'ready');
  const told = stated.findLast((fact) => fact.type === 'memory.committed');
  t.like(told, { budgetBytes: 2 * (1024 - 256) * MiB });
});

test('whatever happens to the containers, the memory of none is counted that does not run', async (t) => {
  const { mesh, engine, stated, clock } = rig();
  await mesh.apply([spec('one', { maxSessions: 50 })]);
  await until('it is ready', () => mesh.get('one').state === 'ready');
  const opened = await Promise.all(Array.from({ length: 8 }, () => mesh.openForSession('one', 'alice')));
  opened.slice(0, 4).map(({ identity }) => engine.process(identity.containerId).exit(1));
  await Promise.all(opened.slice(4, 6).map((replica) => mesh.release(replica, 'deleted')));
  engine.failCreate = new Error('no');
  await t.throwsAsync(mesh.openForSession('one', 'alice'));
  engine.failCreate = null;
  await until('the dead are gone', async () => (await engine.list(OWNER)).length === 3);
  clock.advance(0);
  const told = stated.findLast((fact) => fact.type === 'memory.committed');
  t.like(told, { committedBytes: 3 * EACH });
});
