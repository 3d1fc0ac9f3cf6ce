import type { Clock, Reason } from '../kernel/index.ts';

/** What a restart rule is told about a place in a pool. */
export type RestartFacts = {
  /** When its processes ended or failed to come up, oldest first, milliseconds since the epoch; the last is now. */
  readonly failuresAt: readonly number[];
  readonly now: number;
};

export type RestartVerdict =
  | { readonly action: 'restart'; readonly delayMs: number }
  | { readonly action: 'crash_loop'; readonly nextTryAt: number };

/** Facts in, verdict out; no clock, no I/O. */
export type RestartRule = (facts: RestartFacts) => RestartVerdict;

/** What a slot does next, in its own words. */
export type NextTry = { readonly at: number; readonly reason: Reason; readonly failed: boolean };

/** More than any rule looks back. */
const MEMORY = 20;
/** Deaths of a process that may be bad luck. Other failures would repeat, so users should look at once. */
const MAY_PASS: ReadonlySet<Reason['code']> = new Set(['exited', 'oom', 'signal', 'killed', 'line_too_long']);

/** Remembers the failures of one place and asks the rule. */
export class RestartPlan {
  readonly #rule: RestartRule;
  readonly #clock: Clock;
  #failuresAt: number[] = [];

  constructor(rule: RestartRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
  }

  /** A user asked for a fresh start: what happened before counts no more. */
  forget(): void {
    this.#failuresAt = [];
  }

  /** @param retryAfterMs given by failures that know better than the rule, such as a package that does not exist. */
  next(why: Reason, retryAfterMs: number | null): NextTry {
    const now = this.#clock.now();
    this.#failuresAt = [...this.#failuresAt, now].slice(-MEMORY);
    if (retryAfterMs !== null) return { at: now + retryAfterMs, reason: why, failed: true };
    const verdict = this.#rule({ failuresAt: this.#failuresAt, now });
    if (verdict.action === 'restart')
      return { at: now + verdict.delayMs, reason: why, failed: !MAY_PASS.has(why.code) };
    return { at: verdict.nextTryAt, reason: crashLoop(why, this.#failuresAt.length), failed: true };
  }
}

function crashLoop(last: Reason, failures: number): Reason {
  const message = `The server failed ${failures} times in a row and is left alone for a while. The last time: ${last.message}`;
  return { ...last, code: 'crash_loop', message };
}
