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
