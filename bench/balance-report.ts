import type { BalanceCost } from './balance-cost.ts';
import { type Spread, spreadOf } from './quantiles.ts';
import { shown, table } from './report.ts';
import type { SteadyResult } from './steady-load.ts';

export function balanceCostTable({ scale, spread }: BalanceCost): string {
  const each = (rounds: readonly SteadyResult[], key: keyof SteadyResult): Spread =>
    spreadOf(rounds.map((round) => round[key]));
  const scaled = scale.map(({ replicas, rounds, efficiency }) => [
    String(replicas),
    shown(each(rounds, 'perSecond'), 1),
    shown(efficiency, 3),
    shown(each(rounds, 'p50'), 0),
    shown(each(rounds, 'p99'), 0),
  ]);
  const spreads = spread.map(({ label, rounds }) => [
    label,
    shown(each(rounds, 'perSecond'), 1),
    shown(each(rounds, 'p50'), 0),
    shown(each(rounds, 'p99'), 0),
    shown(each(rounds, 'max'), 0),
  ]);
  return [
    table([['replicas', 'calls/s', 'of linear', 'p50 ms', 'p99 ms'], ...scaled]),
    table([['one of four is slow', 'calls/s', 'p50 ms', 'p99 ms', 'max ms'], ...spreads]),
  ].join('\n\n');
}
