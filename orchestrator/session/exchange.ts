import type { Clock } from '../kernel/index.ts';
import type { Stream } from './stream.ts';

/** One POST on its way back: a stream comes into being only when JSON will not do. */
export class Exchange {
  readonly #begin: () => Stream;
  readonly #begun = Promise.withResolvers<Stream>();
  #stream: Stream | null = null;

  constructor(begin: () => Stream) {
    this.#begin = begin;
  }

  /** The answer is a stream from now on. */
  stream(): Stream {
    if (this.#stream === null) {
      this.#stream = this.#begin();
      this.#begun.resolve(this.#stream);
    }
    return this.#stream;
  }

  /**
   * What comes first: the answer, or a reason for a stream. A call that is still busy after `patienceMs` is one:
   * a stream can be kept alive. Rejects as `answer` does.
   */
  async first<T>(answer: Promise<T>, clock: Clock, patienceMs: number): Promise<T | Stream> {
    const stopWaiting = clock.after(patienceMs, () => this.stream());
    try {
      return await Promise.race([answer, this.#begun.promise]);
    } finally {
      stopWaiting();
    }
  }
}
