import { EngineError } from '../engine/index.ts';
import type { Clock, ServerSpec } from '../kernel/index.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { StartFailure, startFailureOf } from './start-failure.ts';
import { settledWithin } from './waits.ts';

/** Between two tries of an install that failed; doubles up to the ceiling. A build is expensive, a registry patient. */
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 15 * 60_000;
/** How long a caller waits for an image that is just being made before it is told to come back. */
const IMAGE_PATIENCE_MS = 10_000;

type Try = { readonly image: Promise<PreparedImage>; retryAt: number };

/**
 * The image of one server, prepared once and shared by all who wait. A failure is remembered until its retry is
 * due, so that ten sessions do not start ten builds of a package that does not exist.
 */
export class ImageMemo {
  readonly #prepare: (spec: ServerSpec) => Promise<PreparedImage>;
  readonly #spec: () => ServerSpec;
  readonly #clock: Clock;
  #current: Try | null = null;
  #prepared: PreparedImage | null = null;
  #failures = 0;

  constructor(options: {
    prepare: (spec: ServerSpec) => Promise<PreparedImage>;
    spec: () => ServerSpec;
    clock: Clock;
  }) {
    this.#prepare = options.prepare;
    this.#spec = options.spec;
    this.#clock = options.clock;
  }

  /** Null while it is not there. */
  get prepared(): PreparedImage | null {
    return this.#prepared;
  }

  /** @throws StartFailure whose `retryAfterMs` says when asking again begins another try. */
  get(): Promise<PreparedImage> {
    if (this.#current === null || this.#clock.now() >= this.#current.retryAt) this.#current = this.#begin();
    return this.#current.image;
  }

  /** The image, or null where it is still being made after some time. Throws as `get`. */
  async soon(): Promise<PreparedImage | null> {
    const preparing = this.get();
    return (await settledWithin(this.#clock, IMAGE_PATIENCE_MS, preparing)) ? preparing : null;
  }

  /** Tries again at the next question, or looks again whether the image is still there. */
  forget(): void {
    this.#current = null;
    this.#failures = 0;
  }

  /** A start failed: where the engine does not have the image any more, the next question makes it anew. */
  report(error: unknown): void {
    if (error instanceof EngineError && error.code === 'image_missing') this.forget();
  }

  #begin(): Try {
    const started = Promise.withResolvers<PreparedImage>();
    const attempt: Try = { image: started.promise, retryAt: Number.POSITIVE_INFINITY };
    started.resolve(this.#try(attempt));
    return attempt;
  }

  /** A try that was forgotten meanwhile answers those who waited for it, and changes nothing else. */
  async #try(attempt: Try): Promise<PreparedImage> {
    try {
      const prepared = await this.#prepare(this.#spec());
      if (this.#current === attempt) {
        this.#prepared = prepared;
        this.#failures = 0;
      }
      return prepared;
    } catch (error) {
      const failure = startFailureOf(error);
      const away = failure.reason.code === 'engine_unavailable';
      const delayMs = away ? 0 : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
      if (this.#current === attempt && !away) this.#failures++;
      attempt.retryAt = this.#clock.now() + delayMs;
      throw new StartFailure(failure.reason, { cause: error, ...(away ? {} : { retryAfterMs: delayMs }) });
    }
  }
}
