import type { CrashCost } from './crash-cost.ts';
import type { DeployCost } from './deploy-cost.ts';
import type { FloodCost } from './flood-cost.ts';
import type { IdleCost } from './idle-cost.ts';
import type { ListCost } from './list-cost.ts';
import type { MemoryCost } from './memory-cost.ts';
import type { Spread } from './quantiles.ts';
import type { TaskCostRow } from './task-cost.ts';
import type { WarmCost } from './warm-cost.ts';

/** Columns as wide as their widest cell; the first one to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** The median of the rounds, and in brackets the least and the most. */
export function shown({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
}

export function deployCostTable(cost: DeployCost): string {
  return table([
    ['until the first answer', 'ms'],
    ['docker run inside the engine', shown(cost.dockerRun, 0)],
    ['  of which docker exec', shown(cost.dockerExec, 0)],
    ['POST a server until ready', shown(cost.deploy, 0)],
    ['a session: initialize answered', shown(cost.session, 0)],
    ...(cost.failures.length === 0 ? [] : [['rounds that failed', String(cost.failures.length)]]),
  ]);
}

export function warmCostTable({ session, crash }: WarmCost): string {
  return table([
    ['with and without a spare, ms', 'with', 'without'],
    ['a session: initialize answered', shown(session.warm, 0), shown(session.cold, 0)],
    ['a crash: until another process answers', shown(crash.warm, 0), shown(crash.cold, 0)],
  ]);
}

export function memoryCostTable(cost: MemoryCost): string {
  return table([
    ['resident memory of the orchestrator', 'MiB'],
    ['idle', cost.idleMib.toFixed(0)],
    [`${cost.sessions} sessions open`, cost.withSessionsMib.toFixed(0)],
    ['  of which per session', (cost.perSessionKib / 1024).toFixed(2)],
  ]);
}

export function crashCostTable(cost: CrashCost): string {
  return table([
    ['after a crash, nothing in reserve', 'ms'],
    ['crash until ready again', shown(cost.ready, 0)],
    ['crash until the first good answer', shown(cost.firstAnswer, 0)],
    ['docker kill until ready again', shown(cost.killedReady, 0)],
  ]);
}

export function idleCostTable(cost: IdleCost): string {
  return table([
    [`processor time of the orchestrator, nobody calling`, '% of a core'],
    ['before', cost.withoutThem.toFixed(2)],
    [`${cost.servers} servers more, never asked`, cost.notAsked.toFixed(2)],
    ['asked every 10 s (default)', cost.asked.toFixed(2)],
    ['asked every second', cost.askedOften.toFixed(2)],
  ]);
}

export function listCostTable({ servers, tools, bytes, ...eras }: ListCost): string {
  return table([
    [`${tools} tools of ${servers} servers, ${Math.round(bytes / 1024)} KiB, at /mcp`, 'p50 ms', 'p99 ms'],
    ['tools/list in a session', eras.session.p50.toFixed(2), eras.session.p99.toFixed(2)],
    ['tools/list without one', eras.withoutSession.p50.toFixed(2), eras.withoutSession.p99.toFixed(2)],
  ]);
}

export function floodCostTable(rows: readonly FloodCost[]): string {
  return table([
    ['a server floods', 'loop delay p99 ms', 'max ms', 'neighbour p50 ms', 'p99 ms'],
    ...rows.map(({ flood, delayP99Ms, delayMaxMs, neighbour }) => [
      flood,
      delayP99Ms.toFixed(1),
      delayMaxMs.toFixed(1),
      neighbour.p50.toFixed(2),
      neighbour.p99.toFixed(2),
    ]),
  ]);
}

export function taskCostTable(rows: readonly TaskCostRow[]): string {
  return table([
    [
      'producers',
      'tasks a request',
      'enqueued/s',
      'p50 ms',
      'p99 ms',
      'executed/s',
      'cpu µs/task',
      'refused',
    ],
    ...rows.map((row) => [
      String(row.producers),
      String(row.batch),
      shown(row.enqueuedPerSecond, 0),
      shown(row.p50Ms, 2),
      shown(row.p99Ms, 2),
      shown(row.finishedPerSecond, 0),
      shown(row.cpuUs, 0),
      String(row.refused),
    ]),
  ]);
}
