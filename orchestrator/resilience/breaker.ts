import type { BreakerPolicy, BreakerState, Clock, TripCause } from '../kernel/index.ts';
import { OutcomeWindow } from './outcome-window.ts';

/** What of a breaker outlives its process: its state, how often it opened since it was closed, and until when it waits. */
export type BreakerHistory = {
  readonly state: BreakerState;
  readonly openings: number;
  /** Milliseconds since the epoch; 0 where it never opened. */
  readonly retryAt: number;
};

export type BreakerOptions = {
  /** Asked each time: thresholds may change while it lives. */
  readonly policy: () => BreakerPolicy;
  readonly clock: Pick<Clock, 'now'>;
  /** 0 up to 1, without 1: those that opened together are not tried again together. */
  readonly random: () => number;
  /** Asked before it opens for what was only counted or not heard; nobody asks about a process that is over. */
  readonly mayOpen?: (cause: TripCause) => boolean;
  /** Of the breaker that it goes on for; null or absent where it begins closed. */
  readonly past?: BreakerHistory | null;
};

export type BreakerWatcher = (state: BreakerState, cause: TripCause | null) => void;

/**
 * A circuit breaker. It decides and tells; whoever owns what it guards acts.
 *
 *   closed ──(counts, or trip)──→ open ──(tryAgain)──→ half_open ──(success)──→ closed
 *                                   ↑──────(failure, or trip)──────┘
 *
 * While it is open nothing is counted: calls that were in flight when it opened say nothing new.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #window = new OutcomeWindow();
  readonly #watchers = new Set<BreakerWatcher>();
  #state: BreakerState = 'closed';
  #failuresInARow = 0;
  /** Since it was last closed. */
  #openings = 0;
  #retryAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    const { past } = options;
    if (past) [this.#state, this.#openings, this.#retryAt] = [past.state, past.openings, past.retryAt];
  }

  get history(): BreakerHistory {
    return { state: this.#state, openings: this.#openings, retryAt: this.#retryAt };
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How long an open one still has to wait, in milliseconds. */
  get retryInMs(): number {
    const leftMs = this.#retryAt - this.#options.clock.now();
    // A longer wait than there can be: the clock was set back.
    return leftMs > this.#options.policy().maxEjectMs ? 0 : Math.max(0, leftMs);
  }

  /** @returns a function that stops watching. */
  watch(watcher: BreakerWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** One outcome of what it guards. A JSON-RPC error is an answer, so it is a success here. */
  record(outcome: 'success' | 'failure'): void {
    if (this.#state === 'open') return;
    const failed = outcome === 'failure';
    if (this.#state === 'half_open') return failed ? this.#open('probe') : this.#close();
    const { clock, policy } = this.#options;
    this.#window.add(failed, clock.now(), policy().windowMs);
    this.#failuresInARow = failed ? this.#failuresInARow + 1 : 0;
    if (!failed) return;
    const cause = this.#dueCause();
    if (cause !== null) this.trip(cause);
  }

  /** Something that settles it at once. @returns whether it is open afterwards */
  trip(cause: TripCause): boolean {
    if (this.#state === 'open') return true;
    const isCertain = cause === 'dead' || this.#state === 'half_open';
    if (!isCertain && this.#options.mayOpen?.(cause) === false) return false;
    this.#open(cause);
    return true;
  }

  /** There is something to try: a replacement, or the wait is over. Only from `open`. */
  tryAgain(): void {
    if (this.#state === 'open') this.#become('half_open', null);
  }

  /** A fresh start was asked for: what happened before counts no more. */
  reset(): void {
    if (this.#state === 'closed') this.#forget();
    else this.#close();
  }

  #dueCause(): TripCause | null {
    const { clock, policy } = this.#options;
    const { consecutiveFailures, failurePercent, minCalls, windowMs } = policy();
    if (this.#failuresInARow >= consecutiveFailures) return 'consecutive';
    const { calls, failed } = this.#window.totals(clock.now(), windowMs);
    return calls >= minCalls && failed * 100 >= calls * failurePercent ? 'ratio' : null;
  }

  #open(cause: TripCause): void {
    const { clock, policy, random } = this.#options;
    const { ejectMs, maxEjectMs } = policy();
    this.#openings++;
    // At most a fifth less, as in a crash loop: full jitter could make it nothing.
    const waitMs = Math.min(maxEjectMs, ejectMs * this.#openings) * (1 - random() / 5);
    this.#retryAt = clock.now() + Math.floor(waitMs);
    this.#forget();
    this.#become('open', cause);
  }

  #close(): void {
    this.#openings = 0;
    this.#forget();
    this.#become('closed', null);
  }

  #forget(): void {
    this.#failuresInARow = 0;
    this.#window.clear();
  }

  #become(state: BreakerState, cause: TripCause | null): void {
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher(state, cause);
  }
}
