/** A client that does not read may hold so much, in characters, before its stream is given up; one message always fits. */
const MAX_WAITING = 8 * 1024 * 1024;

/**
 * Messages on their way to one HTTP response, in order. Written by the session, read by one `for await`.
 * The reader decides the pace; the writer never waits, so a slow client cannot stop a server.
 */
export class OutStream implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #waitingSize = 0;
  #wake: (() => void) | null = null;
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  /** @returns false when the stream is over, or gives up because its client does not read. */
  push(message: string): boolean {
    if (this.#ended) return false;
    this.#waitingSize += message.length;
    if (this.#waitingSize > MAX_WAITING && this.#waiting.length > 0) {
      this.#waiting.length = 0;
      this.end();
      return false;
    }
    this.#waiting.push(message);
    this.#wake?.();
    return true;
  }

  /** What was pushed is still delivered. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#waitingSize -= next.length;
          yield next;
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#ended = true; // the client left: nothing more is kept for it
      this.#waiting.length = 0;
    }
  }
}
