type Waiting<T, R> = {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
};

/** Of one request: Redis takes that in within milliseconds, so it is no reason to find it silent. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Sends what is asked for at the same time as one request. While one is on its way the next gathers, so under load
 * a request carries many items and alone it carries one at once: what waits for a disk is waited for together.
 */
export class Batch<T, R> {
  readonly #send: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #most: number;
  readonly #bytesOf: (item: T) => number;
  #waiting: Waiting<T, R>[] = [];
  #isSending = false;

  /**
   * @param most items of one request
   * @param send answers in the order of the items
   * @param bytesOf about how large an item is; without it only their number is bounded
   */
  constructor(
    most: number,
    send: (items: readonly T[]) => Promise<readonly R[]>,
    bytesOf: (item: T) => number = () => 0,
  ) {
    this.#most = most;
    this.#send = send;
    this.#bytesOf = bytesOf;
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
      const batch = this.#next();
      try {
        const results = await this.#send(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => void resolve(results[index] as R));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isSending = false;
  }

  /** One that is too large by itself goes alone. */
  #next(): Waiting<T, R>[] {
    let bytes = 0;
    const tooMuch = this.#waiting.findIndex(({ item }, index) => {
      bytes += this.#bytesOf(item);
      return index > 0 && (index >= this.#most || bytes > MOST_BYTES);
    });
    return this.#waiting.splice(0, tooMuch === -1 ? this.#waiting.length : tooMuch);
  }
}
