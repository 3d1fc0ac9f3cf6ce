import type { Clock, Reason } from '../kernel/index.ts';
import {
  afterFailure,
  defaultRestartPolicy,
  noFailures,
  type RestartFacts,
  type RestartHistory,
  stillCounting,
} from '../resilience/index.ts';

/** What a slot does next, in its own words. */
export type NextTry = { readonly at: number; readonly reason: Reason; readonly failed: boolean };

/** How long a replica has been ready, 0 when it never was; and how long a start of it may take. */
export type ReadyTimes = Pick<RestartFacts, 'readyForMs' | 'readyTimeoutMs'>;

/** One failure of a place in a pool. */
export type Failure = ReadyTimes & {
  readonly reason: Reason;
  /** Given by failures that know better than the policy, such as a package that does not exist. */
  readonly retryAfterMs: number | null;
};

/** Deaths of a process that may be bad luck. Other failures would repeat, so users should look at once. */
const MAY_PASS: ReadonlySet<Reason['code']> = new Set([
  'exited',
  'oom',
  'signal',
  'line_too_long',
  'unresponsive',
  'breaker_open',
]);

/** Whether a wait for this reason is gone on with by the next process, and not cut short by its start. */
export function outlivesUs({ code }: Reason): boolean {
  return code === 'crash_loop' || MAY_PASS.has(code);
}

/** A wait that was begun in an earlier process; null where it is over, or longer than any: the clock was set back. */
export function stillToWaitFor(next: NextTry | null, nowMs: number): NextTry | null {
  const leftMs = next === null ? 0 : next.at - nowMs;
  return leftMs > 0 && leftMs <= defaultRestartPolicy.maxCrashLoopDelayMs ? next : null;
}

/** So long such a failure stands at least: a slow start that failed is not worth an immediate second one. */
const FAILED_MS = 10_000;

/** Remembers the failures of one place and asks the restart policy. */
export class RestartPlan {
  readonly #clock: Clock;
  readonly #random: () => number;
  #history: RestartHistory;

  constructor(clock: Clock, random: () => number, past: RestartHistory = noFailures) {
    this.#clock = clock;
    this.#random = random;
    this.#history = past;
  }

  /** What still counts now. */
  history(ready: ReadyTimes): RestartHistory {
    return stillCounting(this.#history, ready);
  }

  /** A user asked for a fresh start: what happened before counts no more. */
  forget(): void {
    this.#history = noFailures;
  }

  next({ reason, retryAfterMs, readyForMs, readyTimeoutMs }: Failure): NextTry {
    const nowMs = this.#clock.now();
    // Asked for, so no sign that the server is ill.
    if (reason.code === 'killed') return { at: nowMs, reason, failed: false };
    // Nothing is wrong with a server that waits for memory.
    const waits = reason.code === 'no_memory';
    if (retryAfterMs !== null) return { at: nowMs + retryAfterMs, reason, failed: !waits };
    const { history, verdict } = afterFailure(
      this.#history,
      { nowMs, readyForMs, readyTimeoutMs },
      this.#random,
    );
    this.#history = history;
    if (verdict.action === 'restart') {
      const failed = !MAY_PASS.has(reason.code);
      return { at: nowMs + Math.max(verdict.delayMs, failed ? FAILED_MS : 0), reason, failed };
    }
    return { at: verdict.nextTryAt, reason: crashLoop(reason, history.consecutiveFailures), failed: true };
  }
}

function crashLoop(last: Reason, failures: number): Reason {
  const message = `The server failed ${failures} times in a row and is left alone for a while. The last time: ${last.message}`;
  return { ...last, code: 'crash_loop', message };
}
