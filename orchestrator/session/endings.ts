import { GantryError } from '../kernel/index.ts';

/** Whether a call ended because its client withdrew it. */
export function isCancelled(error: unknown): boolean {
  return error instanceof GantryError && error.code === 'cancelled';
}

export function endedMeanwhile(server: string): GantryError {
  return new GantryError(
    'session_not_found',
    'The session ended while this call was open. The call may have run.',
    {
      detail: { server, mayHaveRun: true },
    },
  );
}

/** The process that worked on it ended with the orchestrator, or could not be found again. */
export function lostWithRestart(server: string): GantryError {
  return new GantryError(
    'replica_failed',
    `The orchestrator was restarted while server ${server} worked on this call. The call may have run.`,
    { detail: { server, mayHaveRun: true } },
  );
}
