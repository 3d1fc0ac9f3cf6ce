import type { Clock } from '../../orchestrator/kernel/index.ts';

/** A clock that moves only when told to, and then runs what is due in order. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #tasks = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = (): void => task();
    this.#tasks.set(entry, this.#now + delayMs);
    return () => this.#tasks.delete(entry);
  }

  get waiting(): number {
    return this.#tasks.size;
  }

  advance(byMs: number): void {
    const until = this.#now + byMs;
    for (;;) {
      const due = [...this.#tasks].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)[0];
      if (due === undefined) break;
      this.#tasks.delete(due[0]);
      this.#now = due[1];
      due[0]();
    }
    this.#now = until;
  }
}
