import { GantryError, messageOf } from '../../kernel/index.ts';

/** Where no connection came about, so nothing was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A request to a server elsewhere came to nothing; leaves this room as a GantryError. */
export class RemoteFailure extends Error {
  readonly mayHaveRun: boolean;

  constructor(message: string, mayHaveRun: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'RemoteFailure';
    this.mayHaveRun = mayHaveRun;
  }
}

/** A message or an event is longer than may be. */
export class TooLong extends Error {}

/** @param where the URL without what may be a secret in it */
export function failureOf(error: unknown, where: string): RemoteFailure {
  if (error instanceof RemoteFailure) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const isUnsent = typeof code === 'string' && NOT_SENT.has(code);
  const what = isUnsent ? 'could not be reached' : 'broke the connection';
  const text = messageOf(error) || String(code);
  return new RemoteFailure(`The server at ${where} ${what} (${text}).`, !isUnsent, error);
}

/** What a call ends with whose own exchange failed, the server perhaps being fine. */
export function lostCall({ message, mayHaveRun }: RemoteFailure): GantryError {
  const ran = mayHaveRun ? 'The call may have run.' : 'The call did not run.';
  return new GantryError('replica_failed', `${message} ${ran}`, {
    detail: { reason: 'unreachable', mayHaveRun },
  });
}
