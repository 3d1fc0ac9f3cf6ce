type Waiting<T, R> = {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Sends what is asked for at the same time as one request. While one is on its way the next gathers, so under load
 * a request carries many items and alone it carries one at once: what waits for a disk is waited for together.
 */
export class Batch<T, R> {
  readonly #send: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #most: number;
  #waiting: Waiting<T, R>[] = [];
  #isSending = false;

  /** @param most items of one request @param send answers in the order of the items */
  constructor(most: number, send: (items: readonly T[]) => Promise<readonly R[]>) {
    this.#most = most;
    this.#send = send;
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isSending) return;
      this.#isSending = true;
      setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#send(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => void resolve(results[index] as R));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isSending = false;
  }
}
