import { EngineError } from '../engine/index.ts';
import { GantryError, messageOf, type Reason, reason } from '../kernel/index.ts';

/** A replica could not be brought up. Carries the reason users see; never leaves this room. */
export class StartFailure extends Error {
  readonly reason: Reason;
  /** When trying again makes sense, where the failure knows better than the restart policy; else null. */
  readonly retryAfterMs: number | null;

  constructor(why: Reason, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(why.message, { cause: options.cause });
    this.name = 'StartFailure';
    this.reason = why;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** The reason behind anything that was thrown on the way up. Docker's own words stay in `cause`. */
export function startFailureOf(error: unknown): StartFailure {
  if (error instanceof StartFailure) return error;
  if (isEngineDown(error)) {
    const text = 'The engine does not answer; this is tried again as soon as it does.';
    return new StartFailure(reason('engine_unavailable', text), { cause: error });
  }
  if (error instanceof EngineError && error.code === 'image_missing') {
    const text = 'The image is not on the engine and could not be fetched. Check its name and tag.';
    return new StartFailure(reason('image_missing', text), { cause: error, retryAfterMs: 5000 });
  }
  const text =
    error instanceof EngineError
      ? `The engine refused to start the container (${error.code}).`
      : `The start failed inside Gantry: ${messageOf(error)}`;
  return new StartFailure(reason('internal', text), { cause: error });
}

export function isEngineDown(error: unknown): boolean {
  return error instanceof GantryError && error.code === 'engine_unavailable';
}
