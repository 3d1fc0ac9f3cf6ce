/** Counts what could not be used, by a short stable word. Told once a turn: a flood of them must not cost a fact each. */
export class DroppedLines {
  readonly #onDropped: (why: string, count: number) => void;
  readonly #counts = new Map<string, number>();

  constructor(onDropped: (why: string, count: number) => void) {
    this.#onDropped = onDropped;
  }

  add(why: string): void {
    if (this.#counts.size === 0) queueMicrotask(() => this.#tell());
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + 1);
  }

  #tell(): void {
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [why, count] of counts) this.#onDropped(why, count);
  }
}
