import type { Clock } from '../kernel/index.ts';

/** Those who wait for something, each until a deadline of its own. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with `release`, or after `deadlineMs`. */
  wait(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(deadlineMs, done);
      this.#waiting.add(done);
    });
  }

  release(): void {
    for (const done of [...this.#waiting]) done();
  }
}
