import test from 'ava';
import { mayEject, probeNeed } from '../../orchestrator/resilience/index.ts';

const NOW = 1_000_000;
const need = (heardAgoMs: number, owedAgoMs: number | null) =>
  probeNeed(
    { heardAtMs: NOW - heardAgoMs, owedSinceMs: owedAgoMs === null ? null : NOW - owedAgoMs },
    NOW,
    { intervalMs: 10_000 },
    60_000,
  );

test('what said something within the interval is not asked', (t) => {
  t.is(need(9999, null), 'heard');
  t.is(need(10_000, null), 'probe');
});

test('silence while it owes an answer is work, for as long as a call may be silent', (t) => {
  t.is(need(600_000, 59_999), 'busy', 'idle for long, then asked');
  t.is(need(600_000, 60_000), 'probe');
  t.is(need(59_999, 600_000), 'busy', 'it reports progress');
  t.is(need(60_000, 600_000), 'probe', 'it did');
});

test('half of a pool may be out, and one always', (t) => {
  const most = (expected: number): number => {
    let out = 0;
    while (mayEject({ expected, out })) out++;
    return out;
  };
  t.deepEqual([1, 2, 3, 4, 5, 8].map(most), [1, 1, 1, 2, 2, 4]);
});
