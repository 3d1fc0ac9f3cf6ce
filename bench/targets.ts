import type { DeployCost } from './deploy-cost.ts';
import type { IdleCost } from './idle-cost.ts';
import { rounded, type Spread, spreadOf } from './quantiles.ts';
import { shown, table } from './report.ts';
import { ratioOf, type SideRow } from './side-by-side.ts';
import type { SessionsResult } from './side-chapters.ts';
import type { WarmCost } from './warm-cost.ts';

/** The raw results of a run by chapter; a chapter that did not run is absent. */
export type Results = Readonly<Record<string, unknown>>;

export type Target = {
  readonly what: string;
  readonly target: string;
  /** Null where it was not measured. */
  readonly measured: Spread | null;
  readonly unit: string;
  readonly isMet: boolean | null;
};

type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** What Gantry wants to be, against what one run has measured. The median decides. */
export function targetsOf(results: Results): readonly Target[] {
  const echo = results.echo as readonly SideRow[] | undefined;
  const polling = results.polling as readonly SideRow[] | undefined;
  const open = results.open as readonly SideRow[] | undefined;
  const sizes = results.sizes as readonly SideRow[] | undefined;
  const row = (rows: readonly SideRow[] | undefined, inFlight: number) =>
    rows?.find((one) => one.inFlight === inFlight);
  const own = ownSide(echo?.[0] ?? polling?.[0] ?? open?.[0] ?? sizes?.[0]);
  const many = (results.sessions as SessionsResult | undefined)?.gantry.at(-1);
  const warm = results.warm as WarmCost | undefined;
  const idle = results.idle as IdleCost | undefined;
  const mib = sizes?.find(({ work }) => work === 'result of 1 MiB');
  const target = (what: string, bound: Bound, measured: Spread | null, unit = ''): Target => ({
    what,
    target: 'atLeast' in bound ? `at least ${bound.atLeast}${unit}` : `at most ${bound.atMost}${unit}`,
    measured,
    unit,
    isMet: measured === null ? null : holds(bound, measured.median),
  });
  return [
    target(
      'echo, 64 in flight: calls/s over bare `node:http`',
      { atLeast: 0.8 },
      ratioOf(row(echo, 64), own, 'bare http', 'perSecond'),
    ),
    target(
      'echo, 1 in flight: median over supergateway',
      { atMost: 0.7 },
      ratioOf(row(echo, 1), own, 'supergateway', 'p50'),
    ),
    target(
      'the same where processors poll before they halt',
      { atMost: 0.7 },
      ratioOf(row(polling, 1), own, 'supergateway', 'p50'),
    ),
    target(
      "echo, open loop at half of supergateway's most: 99th percentile over supergateway",
      { atMost: 0.5 },
      ratioOf(open?.[0], own, 'supergateway', 'p99'),
    ),
    target(
      '1 MiB results: calls/s over bare `node:http`',
      { atLeast: 0.8 },
      ratioOf(mib, own, 'bare http', 'perSecond'),
    ),
    target(
      'echo, 256 in flight: calls/s over 64 in flight',
      { atLeast: 0.9 },
      over(row(echo, 256), row(echo, 64), own),
    ),
    target('echo, 256 in flight: errors', { atMost: 0 }, errorsOf(row(echo, 256), own)),
    target(
      'a session from the warm pool until its first answer',
      { atMost: 10 },
      warm?.session.warm ?? null,
      ' ms',
    ),
    target(
      'cold start until the first answer over `docker run`',
      { atMost: 1.2 },
      coldRatio(results.deploy as DeployCost | undefined),
    ),
    target(
      `memory of the orchestrator per idle session, ${many?.sessions ?? 10_000} held`,
      { atMost: 20 },
      one(many?.residentKib),
      ' KiB',
    ),
    target('orchestrator with 20 idle replicas', { atMost: 1 }, one(idle?.asked), ' % of a core'),
  ];
}

export function targetsTable(targets: readonly Target[]): string {
  return table([
    ['target', '', 'measured', ''],
    ...targets.map((row) => [row.what, row.target, measuredText(row), verdictOf(row)]),
  ]);
}

export function measuredText({ measured, unit }: Target): string {
  if (measured === null) return 'not measured';
  const isAlone = measured.least === measured.most;
  return (isAlone ? String(measured.median) : shown(measured, 2)) + unit;
}

export function verdictOf({ isMet }: Target): string {
  return isMet === null ? '' : isMet ? 'met' : 'missed';
}

/** The side that the targets are about: Gantry's best way in, without the published port. */
function ownSide(row: SideRow | undefined): string {
  const own = Object.keys(row?.sides ?? {}).find((name) => name.startsWith('gantry'));
  return own ?? 'gantry';
}

function holds(bound: Bound, value: number): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
}

function over(many: SideRow | undefined, few: SideRow | undefined, side: string): Spread | null {
  const [above, below] = [many?.sides[side], few?.sides[side]];
  if (above === undefined || below === undefined) return null;
  return spreadOf(above.map(({ perSecond }, round) => perSecond / (below[round]?.perSecond ?? Number.NaN)));
}

function errorsOf(row: SideRow | undefined, side: string): Spread | null {
  const results = row?.sides[side];
  return results === undefined ? null : spreadOf(results.map(({ errors }) => errors));
}

/** `docker exec`, through which the other side has to go, is no part of `docker run`. */
function coldRatio(cost: DeployCost | undefined): Spread | null {
  if (cost === undefined) return null;
  const run = cost.dockerRun.median - cost.dockerExec.median;
  const { median, least, most } = cost.session;
  return { median: rounded(median / run), least: rounded(least / run), most: rounded(most / run) };
}

function one(value: number | undefined): Spread | null {
  return value === undefined ? null : { median: value, least: value, most: value };
}
