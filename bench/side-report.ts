import { spreadOf } from './quantiles.ts';
import { shown, table } from './report.ts';
import { ratioOf, type SideResult, type SideRow } from './side-by-side.ts';
import type { SessionsResult } from './side-chapters.ts';

/** What every side is compared with. */
const REFERENCES = ['bare http', 'supergateway'] as const;

/** One block for each work and load: figures and ratios, the median of the rounds with the least and the most. */
export function sideTable(rows: readonly SideRow[]): string {
  const head = [
    '',
    'p50 ms',
    'p99 ms',
    'calls/s',
    ...REFERENCES.map((name) => `x ${name}`),
    'cpu µs/call',
    'errors',
  ];
  const lines = rows.flatMap((row) => [
    [titleOf(row), '', '', '', '', '', '', ''],
    ...Object.entries(row.sides).map(([side, results]) => [
      `  ${side}`,
      shown(spreadOf(results.map(({ p50 }) => p50)), 2),
      shown(spreadOf(results.map(({ p99 }) => p99)), 2),
      shown(spreadOf(results.map(({ perSecond }) => perSecond)), 0),
      ...REFERENCES.map((reference) => ratioCell(row, side, reference)),
      cpuCell(results),
      String(results.reduce((sum, { errors }) => sum + errors, 0)),
    ]),
  ]);
  return table([head, ...lines]);
}

/** Throughput, or under a fixed rate the 99th percentile. */
function ratioCell(row: SideRow, side: string, reference: string): string {
  if (side === reference) return '1';
  const ratio = ratioOf(row, side, reference, row.perSecond === null ? 'perSecond' : 'p99');
  return ratio === null ? '' : shown(ratio, 2);
}

function cpuCell(results: readonly SideResult[]): string {
  const all = results.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]));
  return all.length === 0 ? '' : shown(spreadOf(all), 0);
}

export function titleOf({ work, inFlight, perSecond }: SideRow): string {
  return perSecond === null
    ? `${work}, ${inFlight} in flight`
    : `${work}, ${Math.round(perSecond)} calls/s (ratio of the 99th percentile)`;
}

/** Sessions that are open and idle, then used; and what they cost the others. */
export function sessionsTable({ gantry, peers, replicaKib }: SessionsResult): string {
  const own = table([
    [
      'sessions',
      'opened/s',
      'KiB each',
      'of heap',
      'idle for s',
      'grew KiB',
      'then calls/s',
      'p99 ms',
      'errors',
    ],
    ...gantry.map((row) => [
      `gantry ${row.sessions}`,
      row.openedPerSecond.toFixed(0),
      row.residentKib.toFixed(1),
      row.heapKib.toFixed(1),
      String(row.heldMs / 1000),
      row.grewKib.toFixed(0),
      row.active.perSecond.toFixed(0),
      row.active.p99.toFixed(1),
      String(row.active.errors),
    ]),
  ]);
  const others = table([
    ['sessions', 'KiB each', 'stopped by'],
    ...peers.map((row) => [`${row.side} ${row.sessions}`, row.perSessionKib.toFixed(0), row.stoppedBy]),
  ]);
  const replica = replicaKib === null ? '' : `\n\na replica holds KiB: ${shown(replicaKib, 0)}`;
  return `${own}\n\n${others}${replica}`;
}
