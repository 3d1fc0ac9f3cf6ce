import { rounded, type Summary } from '../quantiles.ts';
import { Latencies } from './latencies.ts';

/** Makes one call and checks its answer. Rejects when it is not the right one. */
export type Call = () => Promise<void>;

export type LoadResult = Summary & {
  readonly perSecond: number;
  readonly errors: number;
  /** What the first failure said. */
  readonly firstError: string | null;
};

/**
 * As many calls open as there are callers, the next one as soon as one is answered: shows what a side can do at most.
 * What ends before `warmMs` and after `warmMs + measureMs` does not count.
 */
export async function closedLoop(
  callers: readonly Call[],
  { warmMs, measureMs }: { readonly warmMs: number; readonly measureMs: number },
): Promise<LoadResult> {
  const latencies = new Latencies();
  const errors: unknown[] = [];
  const beganAt = performance.now();
  const [from, until] = [beganAt + warmMs, beganAt + warmMs + measureMs];
  const worker = async (call: Call): Promise<void> => {
    for (let startedAt = performance.now(); startedAt < until; ) {
      let isAnswered = true;
      await call().catch((error: unknown) => {
        isAnswered = false;
        errors.push(error);
      });
      if (errors.length > MAX_ERRORS) return;
      const now = performance.now();
      if (isAnswered && now > from && now < until) latencies.record(now - startedAt);
      startedAt = now;
    }
  };
  await Promise.all(callers.map(worker));
  return resultOf(latencies, errors, measureMs);
}

/** More than this and the side is broken: what it still answers means nothing. */
export const MAX_ERRORS = 1000;

export function resultOf(latencies: Latencies, errors: readonly unknown[], measureMs: number): LoadResult {
  return {
    ...latencies.summary,
    perSecond: rounded((latencies.count / measureMs) * 1000),
    errors: errors.length,
    firstError: errors.length === 0 ? null : String(errors[0]),
  };
}
