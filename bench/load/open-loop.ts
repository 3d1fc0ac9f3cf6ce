import { type Call, type LoadResult, MAX_ERRORS, resultOf } from './closed-loop.ts';
import { Latencies } from './latencies.ts';

/**
 * Calls at a fixed rate, whether or not earlier ones have been answered, as independent clients make them. Each is
 * timed from when it was due, so a side that stalls is charged for every call that it kept waiting (no coordinated
 * omission). A call takes any caller that is free; where none is, it waits, and that counts too.
 */
export async function openLoop(
  callers: readonly Call[],
  options: { readonly perSecond: number; readonly warmMs: number; readonly measureMs: number },
): Promise<LoadResult> {
  const { perSecond, warmMs, measureMs } = options;
  const latencies = new Latencies();
  const errors: unknown[] = [];
  const free = [...callers];
  const due: number[] = [];
  const all = Promise.withResolvers<void>();
  const beganAt = performance.now();
  const [from, until] = [beganAt + warmMs, beganAt + warmMs + measureMs];
  const everyMs = 1000 / perSecond;
  let nextAt = beganAt;
  let open = 0;

  const start = (call: Call, dueAt: number): void => {
    open++;
    const ended = (isAnswered: boolean): void => {
      open--;
      if (isAnswered && dueAt >= from && dueAt < until) latencies.record(performance.now() - dueAt);
      const waiting = due.shift();
      if (waiting !== undefined) return start(call, waiting);
      free.push(call);
      if (open === 0 && nextAt >= until) all.resolve();
    };
    call().then(
      () => ended(true),
      (error: unknown) => {
        errors.push(error);
        if (errors.length > MAX_ERRORS) all.resolve();
        else ended(false);
      },
    );
  };
  const tick = (): void => {
    const now = performance.now();
    for (; nextAt <= now && nextAt < until; nextAt += everyMs) {
      const call = free.pop();
      if (call === undefined) due.push(nextAt);
      else start(call, nextAt);
    }
    if (nextAt < until) setTimeout(tick, 1);
    else if (open === 0) all.resolve();
  };
  tick();
  await all.promise;
  return resultOf(latencies, errors, measureMs);
}
