/** A client that does not read may hold so much, in characters, before its stream is given up; one message always fits. */
const MAX_WAITING = 8 * 1024 * 1024;

/** A call that takes longer answers as a stream, so that proxies and clients see a living connection. */
export const PATIENCE_MS = 5000;

/** A server-sent event. */
export type OutEvent = {
  readonly data: string;
  /** With it the client can come back and ask for what followed. */
  readonly id?: string;
  /** `message` where nothing is said; an event without data has none. */
  readonly event?: string;
  /** How long the client should wait before it comes back. */
  readonly retryMs?: number;
};

/**
 * Messages on their way to one HTTP response, in order. Written by the session, read by one `for await`.
 * The reader decides the pace; the writer never waits, so a slow client cannot stop a server.
 */
export class OutStream<T extends string | OutEvent = string> implements AsyncIterable<T> {
  readonly #waiting: T[] = [];
  #waitingSize = 0;
  #wake: (() => void) | null = null;
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  /** @returns false when the stream is over, or gives up because its client does not read. */
  push(message: T): boolean {
    if (this.#ended) return false;
    this.#waitingSize += sizeOf(message);
    if (this.#waitingSize > MAX_WAITING && this.#waiting.length > 0) {
      this.abandon();
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

  /** What was not read yet is not delivered any more. */
  abandon(): void {
    this.#waiting.length = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#waitingSize -= sizeOf(next);
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

function sizeOf(message: string | OutEvent): number {
  return typeof message === 'string' ? message.length : message.data.length;
}
