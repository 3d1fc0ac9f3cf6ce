/** Work under names: one after the other for each name, side by side otherwise. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Whether something is under way. */
  has(name: string): boolean {
    return this.#last.has(name);
  }

  /**
   * Begins at once where nothing is under way, else when that is over, however it ended.
   * @returns what the work returns; its failure is for who asked for it, not for whoever comes next
   */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const done = before === undefined ? begin(work) : before.then(work);
    const over = (): void => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    };
    const turn = done.then(over, over);
    this.#last.set(name, turn);
    return done;
  }
}

/** Turns what is thrown at once into a rejection. */
async function begin<T>(work: () => Promise<T>): Promise<T> {
  return await work();
}
