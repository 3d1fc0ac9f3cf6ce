/** Work under names: one after the other for each name, side by side otherwise. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();
  readonly #onTrouble: (name: string, error: unknown) => void;

  constructor(onTrouble: (name: string, error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Whether something is under way. */
  has(name: string): boolean {
    return this.#last.has(name);
  }

  /** Begins at once where nothing is under way. Resolves when it is done; a failure is told, not thrown. */
  take(name: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(name);
    const done = (before === undefined ? begin(work) : before.then(work)).catch((error: unknown) =>
      this.#onTrouble(name, error),
    );
    const turn = done.finally(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    });
    this.#last.set(name, turn);
    return turn;
  }
}

/** Turns what is thrown at once into a rejection. */
async function begin(work: () => Promise<void>): Promise<void> {
  await work();
}
