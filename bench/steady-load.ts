import { setTimeout as sleep } from 'node:timers/promises';
import { rounded, type Summary, summarize } from './quantiles.ts';

export type SteadyResult = Summary & { readonly perSecond: number };

/**
 * A closed loop: always `inFlight` calls are open. What ends before `warmMs` and after `warmMs + measureMs` does not
 * count, so that neither the empty start nor the end, when the last calls have the servers to themselves, is measured.
 */
export async function steadyLoad(
  call: () => Promise<unknown>,
  { inFlight, warmMs, measureMs }: { inFlight: number; warmMs: number; measureMs: number },
): Promise<SteadyResult> {
  const samples: number[] = [];
  const beganAt = performance.now();
  const isOver = (): boolean => performance.now() - beganAt > warmMs + measureMs;
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      const startedAt = performance.now();
      await call();
      const now = performance.now();
      if (now - beganAt > warmMs && !isOver()) samples.push(now - startedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await sleep(0);
  return { ...summarize(samples), perSecond: rounded((samples.length / measureMs) * 1000) };
}
