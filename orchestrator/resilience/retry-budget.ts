import type { Clock, Retries } from '../kernel/index.ts';

/** How long a call counts, in milliseconds. Finagle's credit lives as long (RetryBudget, ttl 10 s). */
const WINDOW_MS = 10_000;
const SLICE_MS = 1000;
const SLICES = WINDOW_MS / SLICE_MS;

type Slice = { readonly number: number; calls: number; retries: number };

/**
 * How many retries a server bears: a share of its recent calls and a few per second beside, so that retries cannot
 * multiply the load of a server that fails them all. Defaults and window are Finagle's (20 % and 10 per second over
 * 10 s). A retry is allowed while those of the last ten seconds are below `minPerSecond * 10 + budgetPercent / 100 * calls`.
 */
export class RetryBudget {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #slices: Slice[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** A call begins: the first try, not the others. */
  deposit(): void {
    this.#now().calls++;
  }

  /** @returns whether one retry more is allowed; then it is counted. */
  withdraw({ budgetPercent, minPerSecond }: Pick<Retries, 'budgetPercent' | 'minPerSecond'>): boolean {
    const slice = this.#now();
    const calls = this.#slices.reduce((sum, one) => sum + one.calls, 0);
    const retries = this.#slices.reduce((sum, one) => sum + one.retries, 0);
    const allowed = minPerSecond * (WINDOW_MS / 1000) + (calls * budgetPercent) / 100;
    if (retries + 1 > allowed) return false;
    slice.retries++;
    return true;
  }

  /** The present slice; those that are too old are forgotten. */
  #now(): Slice {
    const number = Math.floor(this.#clock.now() / SLICE_MS);
    const last = this.#slices.at(-1);
    // A clock that was set back counts on in the newest slice, and does not live for ever because of it.
    if (last !== undefined && number <= last.number && number > last.number - SLICES) return last;
    const slice: Slice = { number, calls: 0, retries: 0 };
    this.#slices.push(slice);
    while ((this.#slices[0]?.number ?? number) <= number - SLICES || this.#slices.length > SLICES) {
      this.#slices.shift();
    }
    return slice;
  }
}
