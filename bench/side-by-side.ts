import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, closedLoop, type LoadResult } from './load/closed-loop.ts';
import { openLoop } from './load/open-loop.ts';
import { rounded, type Spread, spreadOf } from './quantiles.ts';
import type { Side, SideSession } from './sides/side.ts';
import type { Work } from './work.ts';

export type Pace = {
  readonly rounds: number;
  /** Before the first round, at most. */
  readonly warmUpMs: number;
  /** Of each round, what does not count and what does. */
  readonly warmMs: number;
  readonly measureMs: number;
};

/** Of one kind of work under one load: what each side did, round by round. */
export type SideRow = {
  readonly work: string;
  readonly inFlight: number;
  /** Calls a second that were sent whatever came back; null for a closed loop. */
  readonly perSecond: number | null;
  readonly sides: Readonly<Record<string, readonly SideResult[]>>;
};

export type SideResult = LoadResult & {
  /** Processor time of the gateway's own process for one call, microseconds: what a busy machine changes least. */
  readonly cpuUs: number | null;
};

/** Between two sides, so that what one leaves to do (memory to collect, timers) does not fall on the next. */
const REST_MS = 100;
/** Before the first round, so that every side is compiled: code that has run less is slower, and larger code takes longer. */
const WARM_UP_CALLS = 10_000;

/**
 * Every side in every round, in turns and in another order each time, so that what else the machine does meanwhile falls
 * on all. A side that cannot do the work at all is left out.
 */
export async function measureSideBySide(options: {
  readonly sides: readonly Side[];
  readonly work: Work;
  readonly inFlight: number;
  readonly pace: Pace;
  /** For an open loop; then `inFlight` bounds what can be in flight. */
  readonly perSecond?: number;
}): Promise<SideRow> {
  const { sides, work, inFlight, pace, perSecond } = options;
  const results: Record<string, SideResult[]> = Object.fromEntries(sides.map(({ name }) => [name, []]));
  const sessions = new Map<string, SideSession>();
  try {
    for (const side of sides) sessions.set(side.name, await side.open(inFlight));
    for (const session of sessions.values()) await warmUp(session.callers(work), pace.warmUpMs);
    for (let round = 0; round < pace.rounds; round++) {
      for (const side of turned(sides, round)) {
        const callers = sessions.get(side.name)?.callers(work) ?? [];
        const before = await side.cpuSeconds();
        const result =
          perSecond === undefined
            ? await closedLoop(callers, pace)
            : await openLoop(callers, { ...pace, perSecond });
        const after = await side.cpuSeconds();
        results[side.name]?.push({ ...result, cpuUs: cpuUsOf(result, before, after, pace) });
        await sleep(REST_MS);
      }
    }
  } finally {
    await Promise.allSettled([...sessions.values()].map((session) => session.close()));
  }
  return { work: work.name, inFlight, perSecond: perSecond ?? null, sides: results };
}

/** A side that fails is told of by the rounds that follow. */
async function warmUp(callers: readonly Call[], warmUpMs: number): Promise<void> {
  const until = performance.now() + warmUpMs;
  let left = WARM_UP_CALLS;
  const worker = async (call: Call): Promise<void> => {
    while (left-- > 0 && performance.now() < until) await call();
  };
  await Promise.allSettled(callers.map(worker));
}

/** The figure of one side over that of another, round by round. Null where one of them was not measured. */
export function ratioOf(
  row: SideRow | undefined,
  side: string,
  to: string,
  figure: 'perSecond' | 'p50' | 'p99',
): Spread | null {
  const [mine, theirs] = [row?.sides[side], row?.sides[to]];
  if (mine === undefined || theirs === undefined) return null;
  const ratios = mine.flatMap((result, round) => {
    const ratio = result[figure] / (theirs[round]?.[figure] ?? Number.NaN);
    return Number.isFinite(ratio) ? [ratio] : [];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}

/** Also the calls of the warm-up used processor time; at the rate that was measured. */
function cpuUsOf(
  { count }: LoadResult,
  before: number | null,
  after: number | null,
  { warmMs, measureMs }: Pick<Pace, 'warmMs' | 'measureMs'>,
): number | null {
  if (before === null || after === null || count === 0) return null;
  return rounded(((after - before) * 1e6) / (count * (1 + warmMs / measureMs)));
}

/** The next one begins in each round, and every other round goes backwards. */
function turned<T>(items: readonly T[], round: number): readonly T[] {
  const start = round % Math.max(1, items.length);
  const order = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? order : order.reverse();
}
