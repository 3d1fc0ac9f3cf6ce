import test from 'ava';
import { Counter, Histogram, Registry } from 'prom-client';
import { HotCounter, HotHistogram } from '../../orchestrator/telemetry/hot-metrics.ts';

const BUCKETS = [0.001, 0.01, 0.1, 1];

test('counters and histograms of calls are written as prom-client writes its own', async (t) => {
  const [hot, usual] = [new Registry(), new Registry()];
  const counter = { name: 'calls_total', help: 'Calls', labelNames: ['server', 'method', 'outcome'] };
  const histogram = { name: 'seconds', help: 'How long', labelNames: ['method', 'route'], buckets: BUCKETS };
  const mine = { counter: new HotCounter(hot, counter), histogram: new HotHistogram(hot, histogram) };
  const theirs = {
    counter: new Counter({ ...counter, registers: [usual] }),
    histogram: new Histogram({ ...histogram, registers: [usual] }),
  };
  for (const [server, outcome] of [
    ['a', 'ok'],
    ['a', 'ok'],
    ['b"\\\n', 'failed'],
  ] as const) {
    mine.counter.inc(server, 'tools/call', outcome);
    theirs.counter.inc({ server, method: 'tools/call', outcome });
  }
  for (const [route, seconds] of [
    ['/x', 0.001],
    ['/x', 0.0011],
    ['/y', 0.5],
    ['/x', 7],
  ] as const) {
    mine.histogram.observe(seconds, 'GET', route);
    theirs.histogram.observe({ method: 'GET', route }, seconds);
  }
  t.deepEqual(linesOf(await hot.metrics()), linesOf(await usual.metrics()));
});

/** The order of labels and of series means nothing. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`))
    .sort();
}
