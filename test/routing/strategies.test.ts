import test from 'ava';
import fc from 'fast-check';
import type { BalanceStrategy } from '../../orchestrator/kernel/index.ts';
import { type Choice, type Strategy, strategyOf } from '../../orchestrator/routing/strategies/index.ts';

type Played = { id: string; callsInFlight: number; weight: number; latencyMs: number | null };

const NAMES: readonly BalanceStrategy[] = [
  'least_connections',
  'peak_ewma',
  'round_robin',
  'weighted',
  'random',
  'consistent_hash',
];

function choices(count: number, over: (index: number) => Partial<Played> = () => ({})): Played[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `echo-${index + 1}`,
    callsInFlight: 0,
    weight: 1,
    latencyMs: null,
    ...over(index),
  }));
}

/** The strategy with chance as the test says: each draw takes the next number. */
function scripted(name: BalanceStrategy, ...draws: readonly number[]): Strategy<Played> {
  let next = 0;
  return strategyOf(name, () => draws[next++ % draws.length] ?? 0);
}

function picks(strategy: Strategy<Played>, from: readonly Played[], count: number, principal = 'alice') {
  return Array.from({ length: count }, () => strategy.pick(from, { principal })?.id);
}

function counts(ids: readonly (string | undefined)[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const id of ids) counted[id ?? 'none'] = (counted[id ?? 'none'] ?? 0) + 1;
  return counted;
}

const arbitraryChoice = fc.record({
  callsInFlight: fc.nat({ max: 50 }),
  weight: fc.double({ min: 0.1, max: 1000, noNaN: true }),
  latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
});
const arbitraryPool = fc
  .array(arbitraryChoice, { maxLength: 12 })
  .map((drawn) => choices(drawn.length, (index) => drawn[index] ?? {}));
const chance = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });

for (const name of NAMES) {
  test(`${name} picks one of those it is given, and none only where there is none`, (t) => {
    t.notThrows(() =>
      fc.assert(
        fc.property(fc.array(arbitraryPool, { minLength: 1, maxLength: 8 }), chance, (pools, draws) => {
          const strategy = scripted(name, ...draws);
          for (const pool of pools) {
            const picked = strategy.pick(pool, { principal: 'alice' });
            if (pool.length === 0 ? picked !== null : picked === null || !pool.includes(picked)) return false;
          }
          return true;
        }),
      ),
    );
  });
}

test('least connections never picks one while another has fewer calls for its weight', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(arbitraryPool, { minLength: 1, maxLength: 8 }), (pools) => {
        const strategy = scripted('least_connections');
        const load = ({ callsInFlight, weight }: Choice): number => callsInFlight / weight;
        return pools.every((pool) => {
          const picked = strategy.pick(pool, { principal: 'alice' });
          return picked === null || pool.every((other) => load(other) >= load(picked));
        });
      }),
    ),
  );
});

test('least connections lets equals take turns, also an idle pool', (t) => {
  t.deepEqual(picks(scripted('least_connections'), choices(3), 7), [
    'echo-1',
    'echo-2',
    'echo-3',
    'echo-1',
    'echo-2',
    'echo-3',
    'echo-1',
  ]);
});

test('least connections under load leaves one that starts slowly with one call for ten of the others', (t) => {
  const pool = choices(2, (index) =>
    index === 0 ? { callsInFlight: 9 } : { weight: 0.1, callsInFlight: 1 },
  );
  const strategy = scripted('least_connections');
  t.deepEqual(picks(strategy, pool, 1), ['echo-1']);
  for (const choice of pool) if (choice.weight === 1) choice.callsInFlight = 11;
  t.deepEqual(picks(strategy, pool, 1), ['echo-2']);
});

test('round robin takes turns whatever the load', (t) => {
  const pool = choices(3, (index) => ({ callsInFlight: index * 10, latencyMs: 100 - index }));
  t.deepEqual(picks(scripted('round_robin'), pool, 6), [
    'echo-1',
    'echo-2',
    'echo-3',
    'echo-1',
    'echo-2',
    'echo-3',
  ]);
});

test('weighted mixes the shares evenly', (t) => {
  const pool = choices(2, (index) => ({ weight: index === 0 ? 3 : 1 }));
  t.deepEqual(picks(scripted('weighted'), pool, 4), ['echo-1', 'echo-1', 'echo-2', 'echo-1']);
});

test('weighted gives each its exact share over as many picks as the weights add up to', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const pool = choices(weights.length, (index) => ({ weight: weights[index] ?? 1 }));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const counted = counts(picks(scripted('weighted'), pool, total));
        return pool.every(({ id, weight }) => counted[id] === weight);
      }),
    ),
  );
});

test('random follows chance in proportion to the weights', (t) => {
  const pool = choices(3, (index) => ({ weight: [1, 2, 1][index] ?? 1 }));
  t.deepEqual(picks(scripted('random', 0, 0.24, 0.25, 0.74, 0.75, 0.99), pool, 6), [
    'echo-1',
    'echo-1',
    'echo-2',
    'echo-2',
    'echo-3',
    'echo-3',
  ]);
});

test('peak ewma takes the cheaper of the two it draws, and never draws one twice', (t) => {
  const pool = choices(3, (index) => ({ latencyMs: [200, 20, 20][index] ?? 0, callsInFlight: index }));
  // First draw: which one. Second draw: which of the others, counted from there on.
  t.deepEqual(picks(scripted('peak_ewma', 0, 0), pool, 1), ['echo-2'], '200 x 1 against 20 x 2');
  t.deepEqual(picks(scripted('peak_ewma', 0.34, 0), pool, 1), ['echo-2'], '20 x 2 against 20 x 3');
  fc.assert(
    fc.property(arbitraryPool, chance, (drawn, draws) => {
      if (drawn.length < 2) return true;
      const worst = drawn.map((choice, index) => ({
        ...choice,
        weight: 1,
        callsInFlight: 0,
        latencyMs: index === 0 ? 1000 : 1,
      }));
      return scripted('peak_ewma', ...draws).pick(worst, { principal: 'alice' })?.id !== 'echo-1';
    }),
  );
});

test('peak ewma tries one that nobody has measured with one call, and waits for its answer', (t) => {
  const pool = choices(2, (index) => (index === 0 ? { latencyMs: 5, callsInFlight: 3 } : {}));
  t.deepEqual(picks(scripted('peak_ewma', 0, 0), pool, 1), ['echo-2']);
  const [, unknown] = pool;
  if (unknown !== undefined) unknown.callsInFlight = 1;
  t.deepEqual(picks(scripted('peak_ewma', 0, 0), pool, 1), ['echo-1']);
});

const principals = Array.from({ length: 400 }, (_, index) => `principal-${index}`);

function homes(pool: readonly Played[]): Map<string, string | undefined> {
  const strategy = scripted('consistent_hash');
  return new Map(principals.map((principal) => [principal, strategy.pick(pool, { principal })?.id]));
}

test('consistent hash moves only the principals of a replica that leaves, and brings them back with it', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 10 }), fc.nat(), (count, drawn) => {
      const pool = choices(count);
      const gone = pool[drawn % count]?.id;
      const before = homes(pool);
      const without = homes(pool.filter(({ id }) => id !== gone));
      return principals.every((principal) => {
        const home = before.get(principal);
        return home === gone ? without.get(principal) !== gone : without.get(principal) === home;
      });
    }),
    { numRuns: 30 },
  );
  t.deepEqual(homes(choices(5)), homes(choices(5).reverse()), 'the order of the pool does not matter');
});

test('consistent hash spreads principals over all replicas', (t) => {
  const counted = counts([...homes(choices(4)).values()]);
  for (const { id } of choices(4)) t.true((counted[id] ?? 0) > 60, JSON.stringify(counted));
});
