import test from 'ava';
import type { ServerHistory } from '../../orchestrator/lifecycle/index.ts';
import { MemoryMeshStore } from '../../orchestrator/registry/index.ts';
import { Remembered } from '../../orchestrator/remembered.ts';

const HISTORY: ServerHistory = {
  places: {
    2: {
      breaker: { state: 'open', openings: 5, retryAt: 1_700_000_000_000 },
      failures: { failureTimesMs: [1, 2], consecutiveFailures: 5, inCrashLoop: true },
      waiting: {
        at: 1_700_000_060_000,
        failed: true,
        reason: { code: 'crash_loop', message: 'again and again', exitCode: 3, stderr: ['oh'] },
      },
    },
  },
  starts: { breaker: { state: 'closed', openings: 0, retryAt: 0 }, lastFailure: null },
};

async function stored(record: unknown): Promise<{ store: MemoryMeshStore; remembered: Remembered }> {
  const store = new MemoryMeshStore();
  await store.keep('breakers', { put: new Map([['a', record]]), remove: [] });
  const remembered = new Remembered(store, () => {});
  await remembered.load();
  return { store, remembered };
}

test('what a server has been through comes back once, for the same program alone', async (t) => {
  const record = { made: 'x', ...HISTORY };
  const { remembered } = await stored(record);
  const { places, starts } = remembered.history('a', 'x') ?? {};
  t.deepEqual({ places, starts }, HISTORY);
  t.is(remembered.history('a', 'x'), null);
  t.is((await stored(record)).remembered.history('a', 'y'), null);
  t.is((await stored(record)).remembered.history('b', 'x'), null);
});

test('what is read later than a server began says nothing about it', async (t) => {
  const store = new MemoryMeshStore();
  const remembered = new Remembered(store, () => {});
  t.is(remembered.history('a', 'x'), null);
  await store.keep('breakers', { put: new Map([['a', { made: 'x', ...HISTORY }]]), remove: [] });
  await remembered.load();
  t.is(remembered.history('a', 'x'), null);
});

test('a record of another shape means nothing', async (t) => {
  const [place] = Object.values(HISTORY.places);
  const shapes = [
    null,
    'open',
    { made: 'x' },
    {
      made: 'x',
      ...HISTORY,
      places: { 1: { ...place, breaker: { state: 'ajar', openings: 0, retryAt: 0 } } },
    },
    { made: 'x', ...HISTORY, places: { 1: { ...place, failures: { failureTimesMs: 'never' } } } },
  ];
  for (const shape of shapes) t.is((await stored(shape)).remembered.history('a', 'x'), null);
});

test('what servers that are gone have been through is forgotten, what was written since the start too', async (t) => {
  const { store, remembered } = await stored({ made: 'x', ...HISTORY });
  await store.keep('tools', { put: new Map([['late', {}]]), remove: [] });
  await remembered.keepOnly([]);
  t.deepEqual([await store.kept('breakers'), await store.kept('tools')], [new Map(), new Map()]);
});
