import { GantryError, messageOf } from '../../kernel/index.ts';
import { EngineError } from '../engine.ts';

/** The HTTP status the daemon answered with, or null when it did not answer. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}

/** What Docker said, without dockerode's frame around it. For causes and for bad specs, never for outages. */
export function dockerMessage(error: unknown): string {
  const json = typeof error === 'object' && error !== null && 'json' in error ? error.json : null;
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message);
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) [^-]*- /, '')
    .trim();
}

/** The daemon did not answer, or answered that it is broken. The message names no address and no path. */
export function engineUnavailable(cause: unknown): GantryError {
  return new GantryError('engine_unavailable', 'The container engine does not answer.', { cause });
}

/**
 * Says in our own words why a request failed: 404 and 409 are facts about the object, other 4xx about what
 * we asked for, everything else means that the engine cannot be relied on now.
 */
export function engineFailure(error: unknown, subject: string): Error {
  if (error instanceof EngineError || error instanceof GantryError) return error;
  const status = statusOf(error);
  if (status === 404) return new EngineError('not_found', `There is no such ${subject}.`, { cause: error });
  if (status === 409) {
    return new EngineError('conflict', `The state of the ${subject} does not allow this.`, { cause: error });
  }
  if (status !== null && status >= 400 && status < 500) {
    return new EngineError('bad_spec', `The engine refused: ${dockerMessage(error)}`, { cause: error });
  }
  return engineUnavailable(error);
}

/** Runs `promise`, answering undefined where the daemon says 304, 404 or another of `statuses`. */
export async function unlessStatus<T>(promise: Promise<T>, ...statuses: number[]): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const status = statusOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
    if (status !== null && statuses.includes(status)) return undefined;
    throw error;
  }
}
