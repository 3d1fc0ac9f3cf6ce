import type { Clock } from '../kernel/index.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import type { Stream } from './stream.ts';
import type { Begun } from './streams.ts';

/** In place of an answer that JSON will not do for. */
export const STREAM = Symbol('stream');

/** One POST on its way back: a stream comes into being only when JSON will not do. */
export class Exchange {
  readonly #begin: () => Begun;
  #onStream: () => void = () => {};
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
  first<T>(answer: Promise<T>, clock: Clock, patienceMs: number): Promise<T | typeof STREAM> {
    // One promise by hand: racing costs as much as reading the answer does.
    return new Promise((resolve, reject) => {
      const stopWaiting = clock.after(patienceMs, () => void this.#become());
      // Named first: what is written right behind `=` V8 makes old, and keeps with all of its call (docs/performance.md).
      const onStream = (): void => {
        stopWaiting();
        resolve(STREAM);
      };
      this.#onStream = onStream;
      if (this.#begun !== null) this.#onStream();
      answer.then(
        (value) => {
          stopWaiting();
          resolve(value);
        },
        (error: unknown) => {
          stopWaiting();
          reject(error);
        },
      );
    });
  }

  #become(): Begun {
    if (this.#begun === null) {
      this.#begun = this.#begin();
      this.#onStream();
    }
    return this.#begun;
  }
}
