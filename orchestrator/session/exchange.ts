import type { Clock } from '../kernel/index.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import type { Stream } from './stream.ts';
import type { Begun } from './streams.ts';

/** In place of an answer that JSON will not do for. */
export const STREAM = Symbol('stream');

/** One POST on its way back: a stream comes into being only when JSON will not do. */
export class Exchange {
  readonly #begin: () => Begun;
  readonly #streaming = Promise.withResolvers<typeof STREAM>();
  #begun: Begun | null = null;

  constructor(begin: () => Begun) {
    this.#begin = begin;
  }

  /** The answer is a stream from now on. */
  get stream(): Stream {
    return this.#become().stream;
  }

  /** Who reads that stream first: the answer to the POST. */
  get reader(): OutStream<OutEvent> {
    return this.#become().reader;
  }

  /**
   * What comes first: the answer, or a reason for a stream. A call that is still busy after `patienceMs` is one:
   * a stream can be kept alive. Rejects as `answer` does.
   */
  async first<T>(answer: Promise<T>, clock: Clock, patienceMs: number): Promise<T | typeof STREAM> {
    const stopWaiting = clock.after(patienceMs, () => void this.#become());
    try {
      return await Promise.race([answer, this.#streaming.promise]);
    } finally {
      stopWaiting();
    }
  }

  #become(): Begun {
    if (this.#begun === null) {
      this.#begun = this.#begin();
      this.#streaming.resolve(STREAM);
    }
    return this.#begun;
  }
}
