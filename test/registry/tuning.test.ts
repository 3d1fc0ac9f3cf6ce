import test from 'ava';
import { MemoryMeshStore, Tuning } from '../../orchestrator/registry/index.ts';
import { spec } from '../lifecycle/rig.ts';

const A = spec('a');
const B = spec('b');

function strategies(tuning: Tuning, specs = [A, B]): string[] {
  return tuning.over(specs).map(({ balance }) => balance.strategy);
}

test('what is set for all holds for later servers, and what is set last counts', async (t) => {
  const tuning = new Tuning(new MemoryMeshStore());
  await tuning.set({ strategy: 'random' }, [A], true);
  t.deepEqual(strategies(tuning), ['random', 'random']);
  await tuning.set({ strategy: 'weighted' }, [B], false);
  t.deepEqual(strategies(tuning), ['random', 'weighted']);
  await tuning.set({ strategy: 'round_robin' }, [A, B], true);
  t.deepEqual(strategies(tuning), ['round_robin', 'round_robin']);
  await tuning.reset('a');
  t.deepEqual(strategies(tuning), [A.balance.strategy, 'round_robin']);
  await tuning.reset(null);
  t.deepEqual(strategies(tuning), [A.balance.strategy, B.balance.strategy]);
});

test('a configuration that says something else than before has the last word', async (t) => {
  const tuning = new Tuning(new MemoryMeshStore());
  await tuning.set({ strategy: 'random' }, [A], true);
  const changed = { ...A, balance: { ...A.balance, strategy: 'peak_ewma' as const } };
  t.deepEqual(strategies(tuning, [changed]), ['peak_ewma']);
  t.deepEqual(strategies(tuning, [A]), ['random']);
});

test('what is set at the same time is all set, here and in the store', async (t) => {
  const store = new MemoryMeshStore();
  const tuning = new Tuning(store);
  await Promise.all([
    tuning.set({ consecutiveFailures: 2 }, [A], false),
    tuning.set({ ejectMs: 1000 }, [A, B], true),
    tuning.set({ strategy: 'random' }, [A], false),
  ]);
  const after = new Tuning(store);
  await after.load();
  for (const one of [tuning, after]) {
    const [a, b] = one.over([A, B]);
    t.deepEqual(
      [a?.breaker.consecutiveFailures, a?.breaker.ejectMs, a?.balance.strategy],
      [2, 1000, 'random'],
    );
    t.is(b?.breaker.ejectMs, 1000);
  }
});

test('thresholds are set one by one, a longer recovery lifts its ceiling, and all of it survives a restart', async (t) => {
  const store = new MemoryMeshStore();
  const before = new Tuning(store);
  await before.set({ consecutiveFailures: 2 }, [A], false);
  await before.set({ ejectMs: 900_000 }, [A], false);
  const after = new Tuning(store);
  t.true(await after.load());
  const [tuned] = after.over([A]);
  t.like(tuned?.breaker, { consecutiveFailures: 2, ejectMs: 900_000, maxEjectMs: 900_000 });
  t.is(tuned?.breaker.minCalls, A.breaker.minCalls);
});
