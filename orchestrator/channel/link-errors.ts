import { GantryError } from '../kernel/index.ts';

/** More calls than a process may have open. */
export function full(): GantryError {
  return new GantryError(
    'queue_full',
    'The server is busy with as many calls as it may have; this one was not sent.',
    {
      detail: { mayHaveRun: false, retryAfterMs: 1000 },
    },
  );
}

/** The channel is over. */
export function notSent(): GantryError {
  return new GantryError(
    'replica_failed',
    'The process had ended before the call was sent; it did not run.',
    {
      detail: { mayHaveRun: false },
    },
  );
}

/** An earlier orchestrator sent it just before it ended, and it did not arrive. */
export function neverArrived(): GantryError {
  return new GantryError(
    'replica_failed',
    'The orchestrator was restarted before the call had reached the process; it did not run.',
    { detail: { mayHaveRun: false } },
  );
}
