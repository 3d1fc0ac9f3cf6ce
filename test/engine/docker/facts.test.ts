import test from 'ava';
import { classifyExit } from '../../../orchestrator/engine/docker/facts.ts';
import { cpuPercent, memoryInUse } from '../../../orchestrator/engine/docker/stats.ts';

const AT = '2026-08-01T00:00:00.000Z';

for (const [code, outOfMemory, reason, signal] of [
  [0, false, 'exited', null],
  [0, true, 'exited', null],
  [1, false, 'exited', null],
  [1, true, 'oom', null],
  [137, false, 'signal', 'SIGKILL'],
  [137, true, 'oom', 'SIGKILL'],
  [143, false, 'signal', 'SIGTERM'],
  [139, false, 'signal', 'SIGSEGV'],
  [128, false, 'exited', null],
  [255, false, 'exited', null],
] as const) {
  test(`exit ${code} ${outOfMemory ? 'with' : 'without'} the out-of-memory flag is "${reason}"`, (t) => {
    t.deepEqual(classifyExit(code, outOfMemory, AT), { reason, code, signal, at: AT });
  });
}

type Sample = Parameters<typeof memoryInUse>[0];

test('half a core for a quarter of a second is 50 percent', (t) => {
  const sample = (read: string, used: number) =>
    ({ read, cpu_stats: { cpu_usage: { total_usage: used } } }) as unknown as Sample;
  const first = sample('2026-08-01T00:00:00.000000001Z', 1_000);
  t.is(cpuPercent(first, sample('2026-08-01T00:00:00.250000001Z', 125_001_000)), 50);
  t.is(cpuPercent(first, first), 0);
});

test('memory in use leaves out droppable page cache, under both names', (t) => {
  const usage = (stats: object) => ({ memory_stats: { usage: 100, stats } }) as unknown as Sample;
  t.is(memoryInUse(usage({ total_inactive_file: 40 })), 60);
  t.is(memoryInUse(usage({ inactive_file: 30 })), 70);
  t.is(memoryInUse(usage({})), 100);
});
