import test, { type ExecutionContext } from 'ava';
import { GantryError, type NewRegistration } from '../../orchestrator/kernel/index.ts';
import { MemoryMeshStore, Registrations } from '../../orchestrator/registry/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { settle } from '../lifecycle/rig.ts';

const GIVEN: NewRegistration = {
  id: 'a',
  service: 'weather',
  url: 'http://10.1.2.3/mcp',
  tags: [],
  metadata: {},
  ttlMs: 10_000,
};

function setUp(_t: ExecutionContext, store = new MemoryMeshStore(), clock = new FakeClock()) {
  const changes: string[][] = [];
  const registrations = new Registrations({
    store,
    clock,
    onChange: async () => void changes.push(registrations.all.map(({ id }) => id)),
    onTrouble: () => {},
  });
  return { registrations, store, clock, changes };
}

test('an instance is registered, renewed, and forgotten when its time runs out', async (t) => {
  const { registrations, store, clock, changes } = setUp(t);
  t.is(await registrations.register(GIVEN), 'registered');
  await clock.advance(9000);
  t.is(await registrations.register(GIVEN), 'renewed');
  await clock.advance(9000);
  await registrations.renew('a');
  await clock.advance(9999);
  t.is(registrations.all.length, 1);
  await clock.advance(1);
  t.deepEqual(registrations.all, []);
  await settle();
  t.deepEqual(changes, [['a'], []], 'a renewal changes nothing');
  t.is((await store.kept('registrations')).size, 0);
  await t.throwsAsync(registrations.renew('a'), { message: /its time has run out/ });
});

test('instances of one service get numbers of their own, and keep them', async (t) => {
  const { registrations } = setUp(t);
  for (const id of ['a', 'b', 'c']) await registrations.register({ ...GIVEN, id });
  await registrations.register({ ...GIVEN, id: 'x', service: 'other' });
  await registrations.deregister('b');
  await registrations.register({ ...GIVEN, id: 'd' });
  t.deepEqual(
    registrations.all.map(({ id, number }) => [id, number]),
    [
      ['x', 1],
      ['a', 1],
      ['d', 2],
      ['c', 3],
    ],
  );
});

test('what is registered is there after a restart, as far as its time has not run out', async (t) => {
  const { registrations, store, clock } = setUp(t);
  await registrations.register(GIVEN);
  await registrations.register({ ...GIVEN, id: 'b', ttlMs: 60_000 });
  registrations.close();
  await clock.advance(20_000);
  const after = setUp(t, store, clock).registrations;
  t.true(await after.load());
  t.deepEqual(
    after.all.map(({ id }) => id),
    ['b'],
  );
  t.deepEqual([...(await store.kept('registrations')).keys()], ['b']);
});

test('while the store is away nothing is confirmed, and a heartbeat counts all the same', async (t) => {
  const store = new MemoryMeshStore();
  const { registrations, clock } = setUp(t, store);
  await registrations.register(GIVEN);
  store.keep = () => Promise.reject(new GantryError('registry_unavailable', 'away'));
  await t.throwsAsync(registrations.register({ ...GIVEN, id: 'b' }), { message: 'away' });
  await t.throwsAsync(registrations.deregister('a'), { message: 'away' });
  await clock.advance(9000);
  await t.throwsAsync(registrations.renew('a'), { message: 'away' });
  await clock.advance(9000);
  t.deepEqual(
    registrations.all.map(({ id }) => id),
    ['a'],
  );
});

test('a service has so many instances and not one more, which is said before anything is written', async (t) => {
  const { registrations, store, clock } = setUp(t);
  for (let n = 1; n <= 100; n++) await registrations.register({ ...GIVEN, id: `${n}` });
  await clock.advance(4000);
  const error = await t.throwsAsync(registrations.register({ ...GIVEN, id: 'one more' }));
  t.like(error, { code: 'queue_full', detail: { server: 'weather', limit: 100, retryAfterMs: 6000 } });
  t.is((await store.kept('registrations')).size, 100);
  t.is(await registrations.register({ ...GIVEN, id: '7' }), 'renewed');
  t.is(await registrations.register({ ...GIVEN, id: 'x', service: 'other' }), 'registered');
  await registrations.deregister('7');
  t.is(await registrations.register({ ...GIVEN, id: 'one more' }), 'registered');
});

test('a list that cannot be carried out when a time runs out is told, and the process goes on', async (t) => {
  const clock = new FakeClock();
  const told: string[] = [];
  let isBroken = false;
  const onChange = async (): Promise<void> => {
    if (isBroken) throw new Error('no such list');
  };
  const onTrouble = (message: string) => told.push(message);
  const registrations = new Registrations({ store: new MemoryMeshStore(), clock, onChange, onTrouble });
  await registrations.register(GIVEN);
  isBroken = true;
  await clock.advance(10_000);
  await settle();
  t.deepEqual(told, ['Registrations are over, which could not be carried out: no such list']);
  t.deepEqual(registrations.all, []);
});

test('instances that register at the same time get numbers of their own', async (t) => {
  const { registrations, store } = setUp(t);
  await Promise.all(['a', 'b', 'c'].map((id) => registrations.register({ ...GIVEN, id })));
  const numbers = registrations.all.map(({ id, number }) => [id, number]);
  t.deepEqual(numbers, Object.entries({ a: 1, b: 2, c: 3 }));
  const kept = [...(await store.kept('registrations')).values()] as typeof registrations.all;
  t.deepEqual(
    kept.map(({ id, number }) => [id, number]),
    numbers,
  );
});

test('a heartbeat that comes while its instance is deregistered does not bring it back', async (t) => {
  const { registrations, store } = setUp(t);
  await registrations.register(GIVEN);
  const gone = registrations.deregister('a');
  const late = registrations.renew('a');
  await t.throwsAsync(late, { message: /its time has run out/ });
  await gone;
  t.deepEqual(registrations.all, []);
  t.is((await store.kept('registrations')).size, 0);
});

test('an instance that comes again before the store was read after an outage brings back the others', async (t) => {
  const { registrations, store, clock } = setUp(t);
  await registrations.register(GIVEN);
  await registrations.register({ ...GIVEN, id: 'b' });
  const after = setUp(t, store, clock);
  t.is(await after.registrations.register(GIVEN), 'renewed');
  t.deepEqual(after.changes, [['a', 'b']]);
  t.false(await after.registrations.load());
});
