import { GantryError, type Reason, type ServerSpec } from '../kernel/index.ts';
import { NoMemory } from './admission.ts';
import { isEngineDown, startFailureOf } from './start-failure.ts';

const RETRY_AFTER_MS = 2000;
/** Somebody has to start it first. */
const STOPPED_RETRY_AFTER_MS = 5000;

/** What a caller is told whose replica could not be started. */
export function startRefusal(spec: ServerSpec, error: unknown): GantryError {
  if (error instanceof GantryError && !isEngineDown(error)) return error;
  if (error instanceof NoMemory) return noRoom(spec, error);
  const { reason } = startFailureOf(error);
  return notStarted(spec, reason, error);
}

/** @param why null where the process ended as wished while somebody still waited for it */
export function notStarted({ name }: ServerSpec, why: Reason | null, cause?: unknown): GantryError {
  const text = why?.message ?? 'its process ended while it was starting';
  const detail = {
    server: name,
    reason: why?.code ?? 'exited',
    stderr: why?.stderr ?? [],
    mayHaveRun: false,
  };
  const code = why?.code === 'engine_unavailable' ? 'engine_unavailable' : 'replica_failed';
  return new GantryError(code, `Server ${name} could not start a replica: ${text}`, {
    detail: { ...detail, retryAfterMs: RETRY_AFTER_MS },
    cause,
  });
}

export function serverStopped({ name }: ServerSpec): GantryError {
  return new GantryError('no_replica', `Server ${name} is stopped.`, {
    detail: { server: name, retryAfterMs: STOPPED_RETRY_AFTER_MS },
  });
}

export function stillInstalling({ name }: ServerSpec): GantryError {
  return new GantryError('no_replica', `Server ${name} is still being installed. Try again in a moment.`, {
    detail: { server: name, retryAfterMs: RETRY_AFTER_MS },
  });
}

export function allOpen({ name, maxSessions }: ServerSpec): GantryError {
  return new GantryError(
    'no_replica',
    `Server ${name} has all its ${maxSessions} sessions open (maxSessions). Try again later.`,
    { detail: { server: name, maxSessions, retryAfterMs: RETRY_AFTER_MS } },
  );
}

/** Nothing was started, because the memory budget does not allow it. */
function noRoom({ name }: ServerSpec, error: NoMemory): GantryError {
  const detail = { server: name, reason: error.reason.code, ...error.detail, retryAfterMs: RETRY_AFTER_MS };
  return new GantryError('no_replica', error.message, { detail, cause: error });
}
