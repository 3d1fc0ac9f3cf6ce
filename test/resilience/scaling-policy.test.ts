import test from 'ava';
import fc from 'fast-check';
import {
  defaultScalingPolicy,
  judgeLoad,
  noScaling,
  type ScalingFacts,
} from '../../orchestrator/resilience/index.ts';

const { everyMs, averageMs, rateMs, upBy, upTimes } = defaultScalingPolicy;
const WINDOW_MS = 60_000;

type Pool = Pick<ScalingFacts, 'min' | 'max' | 'target'>;

/** Plays a load, a value each look, and gives back how many replicas there were after each. */
function play(loads: readonly number[], { min, max, target }: Pool, from = min): readonly number[] {
  let history = noScaling;
  let current = from;
  return loads.map((load, look) => {
    const facts = { nowMs: look * everyMs, current, min, max, load, target };
    const verdict = judgeLoad(history, { ...facts, scaleDownAfterMs: WINDOW_MS });
    history = verdict.history;
    current = verdict.replicas;
    return current;
  });
}

const steady = (load: number, looks: number) => Array.from({ length: looks }, () => load);

test('no load keeps the minimum', (t) => {
  t.deepEqual(new Set(play(steady(0, 100), { min: 2, max: 8, target: 4 })), new Set([2]));
});

test('a load is met with as many replicas as bring each to its target', (t) => {
  t.is(play(steady(12, 30), { min: 1, max: 8, target: 4 }).at(-1), 3);
});

test('a load within a tenth of the target changes nothing', (t) => {
  t.is(play(steady(219, 30), { min: 1, max: 8, target: 100 }, 2).at(-1), 2);
  t.is(play(steady(221, 30), { min: 1, max: 8, target: 100 }, 2).at(-1), 3);
});

test('one burst of a moment after a quiet time starts nothing', (t) => {
  t.is(play([0, 0, 0, 0, 0, 20, 0, 0], { min: 1, max: 8, target: 4 }).at(-1), 1);
});

test('after the load fewer replicas must have been enough for the whole window', (t) => {
  const quiet = (WINDOW_MS + averageMs) / everyMs;
  const counts = play([...steady(12, 30), ...steady(0, quiet + 2)], { min: 1, max: 8, target: 4 });
  t.is(counts[30 + WINDOW_MS / everyMs - 2], 3, 'just before the window is over');
  t.is(counts.at(-1), 1, 'after it');
});

test('a load that comes and goes within the window never ends a replica', (t) => {
  const waves = Array.from({ length: 10 }, () => [...steady(16, 10), ...steady(0, 20)]).flat();
  const counts = play(waves, { min: 1, max: 8, target: 4 });
  const top = counts.indexOf(4);
  t.true(top >= 0);
  t.deepEqual(new Set(counts.slice(top)), new Set([4]));
});

test('a sudden load is met in steps, not with everything at once', (t) => {
  const counts = play(steady(1000, 60), { min: 1, max: 100, target: 1 });
  t.is(counts[0], 5);
  t.is(counts[rateMs / everyMs - 1], 5);
  t.is(counts.at(-1), 40);
});

const pools = fc
  .record({ min: fc.integer({ min: 1, max: 20 }), more: fc.nat(30), target: fc.integer({ min: 1, max: 50 }) })
  .map(({ min, more, target }) => ({ min, max: min + more, target }));
const anyLoads = fc.array(fc.nat(2000), { minLength: 1, maxLength: 150 });

test('whatever the load, there are never fewer replicas than min nor more than max', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(pools, anyLoads, fc.nat(100), (pool, loads, from) => {
        const counts = play(loads, pool, from);
        return counts.every((count) => count >= pool.min && count <= pool.max);
      }),
    ),
  );
});

test('whatever the load, no more are added in one period than the policy allows', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(pools, anyLoads, (pool, loads) => {
        const counts = [pool.min, ...play(loads, pool)];
        const period = rateMs / everyMs;
        return counts.every((count, look) => {
          const before = Math.min(...counts.slice(Math.max(0, look - period), look + 1));
          return count <= Math.max(before + upBy, before * upTimes);
        });
      }),
    ),
  );
});

test('whatever came before, a load that stays is met, and a replica is ended only where the rest is enough', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(pools, anyLoads, fc.nat(500), (pool, loads, load) => {
        const looks = (WINDOW_MS + averageMs + 10 * rateMs) / everyMs;
        const { min, max, target } = pool;
        const last = play([...loads, ...steady(load, looks)], pool).at(-1) ?? 0;
        const needed = Math.min(max, Math.max(min, Math.ceil(load / target)));
        // Within the tolerance a replica more or less may stay as it is.
        const slack = Math.ceil(needed * defaultScalingPolicy.tolerance) + 1;
        return Math.abs(last - needed) <= slack && (load > target * needed || last * target * 1.1 >= load);
      }),
    ),
  );
});
