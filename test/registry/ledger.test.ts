import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { type Change, Ledger, MemoryMeshStore } from '../../orchestrator/registry/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** A store that can be away, and counts what is asked of it. */
class Store extends MemoryMeshStore {
  isAway = false;
  readonly changes: Change[] = [];

  override async keep(kind: Parameters<MemoryMeshStore['keep']>[0], change: Change): Promise<void> {
    if (this.isAway) throw new GantryError('registry_unavailable', 'away');
    this.changes.push(change);
    await super.keep(kind, change);
  }
}

function setUp() {
  const store = new Store();
  const clock = new FakeClock();
  const told: string[] = [];
  const kind = 'takeover_sessions';
  const ledger = new Ledger({ store, kind, clock, onTrouble: (message) => told.push(message) });
  const kept = async () => Object.fromEntries(await store.kept(kind));
  return { store, clock, told, ledger, kept };
}

test('what is put is written before it is confirmed, and what comes in one turn goes in one write', async (t) => {
  const { store, ledger, kept } = setUp();
  const written = await Promise.all([ledger.put('a', 1), ledger.put('b', { of: 2 })]);
  t.deepEqual(written, [true, true]);
  t.deepEqual(await kept(), { a: 1, b: { of: 2 } });
  t.is(store.changes.length, 1);
});

test('the last word about a key counts, a removal too', async (t) => {
  const { ledger, kept } = setUp();
  void ledger.put('a', 1);
  ledger.remove('a');
  void ledger.put('b', 1);
  await ledger.put('b', 2);
  t.deepEqual(await kept(), { b: 2 });
});

test('while the store is away nobody waits, trouble is told once, and all is written when it is back', async (t) => {
  const { store, clock, told, ledger, kept } = setUp();
  await ledger.put('old', 0);
  store.isAway = true;
  t.false(await ledger.put('a', 1));
  t.false(await ledger.put('b', 1));
  ledger.remove('old');
  void ledger.put('b', 2);
  clock.advance(1000);
  await setImmediate();
  t.is(told.length, 1);
  store.isAway = false;
  clock.advance(1000);
  await setImmediate();
  t.deepEqual(await kept(), { a: 1, b: 2 });
  t.true(await ledger.put('c', 3));
});

test('the end waits for what is on its way, and not for a store that is away', async (t) => {
  const { store, ledger, kept } = setUp();
  void ledger.put('a', 1);
  await ledger.close();
  t.deepEqual(await kept(), { a: 1 });
  const other = setUp();
  other.store.isAway = true;
  t.false(await other.ledger.put('a', 1));
  await other.ledger.close();
  t.deepEqual(store.changes.length, 1);
  t.deepEqual(await other.kept(), {});
});
