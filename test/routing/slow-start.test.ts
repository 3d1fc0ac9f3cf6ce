import test from 'ava';
import fc from 'fast-check';
import { PeakLatency } from '../../orchestrator/routing/peak-latency.ts';
import { slowStartShare } from '../../orchestrator/routing/slow-start.ts';

const window = { oldestSince: 0, slowStartMs: 30_000 };

test('a replica that joins a running pool goes from a tenth of its share to the whole', (t) => {
  const share = (afterMs: number) => slowStartShare({ ...window, since: 60_000, now: 60_000 + afterMs });
  t.deepEqual([0, 3000, 15_000, 29_999, 30_000, 90_000].map(share), [0.1, 0.1, 0.5, 29_999 / 30_000, 1, 1]);
});

test('replicas that come up with their pool share at once, and so do all where it is off', (t) => {
  t.is(slowStartShare({ ...window, since: 29_999, now: 29_999 }), 1);
  t.is(slowStartShare({ ...window, since: 60_000, now: 60_000, slowStartMs: 0 }), 1);
});

test('a share only grows, and stays between a tenth and the whole', (t) => {
  const time = fc.nat({ max: 10_000_000 });
  t.notThrows(() =>
    fc.assert(
      fc.property(time, time, time, time, fc.nat({ max: 3_600_000 }), (oldest, joined, a, b, slowStartMs) => {
        const facts = { since: oldest + joined, oldestSince: oldest, slowStartMs };
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((after) =>
          slowStartShare({ ...facts, now: facts.since + after }),
        );
        return early !== undefined && late !== undefined && early >= 0.1 && early <= late && late <= 1;
      }),
    ),
  );
});

test('latency follows a peak at once, comes down slowly, and fades while nobody measures', (t) => {
  const latency = new PeakLatency();
  t.is(latency.at(0), null);
  latency.observe(20, 0);
  latency.observe(200, 0);
  t.is(latency.at(0), 200, 'a peak counts at once');
  latency.observe(20, 10_000);
  t.is(Math.round(latency.at(10_000) ?? 0), Math.round(20 + 180 / Math.E));
  t.true((latency.at(60_000) ?? 0) < 1, 'who was slow is tried again');
});

test('latency is never below what was measured last, nor above the highest', (t) => {
  const observation = fc.record({
    tookMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    afterMs: fc.nat({ max: 60_000 }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1 }), (observations) => {
        const latency = new PeakLatency();
        let now = 0;
        let highest = 0;
        return observations.every(({ tookMs, afterMs }) => {
          now += afterMs;
          highest = Math.max(highest, tookMs);
          latency.observe(tookMs, now);
          const meanMs = latency.at(now) ?? -1;
          return meanMs >= tookMs - 1e-6 && meanMs <= highest + 1e-6;
        });
      }),
    ),
  );
});
