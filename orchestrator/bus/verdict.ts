import {
  type ClaimedTask,
  type DeadReason,
  type ErrorCode,
  GantryError,
  messageOf,
} from '../kernel/index.ts';

/** A server that cannot be reached for so long is not coming back by itself: somebody has to look. */
export const UNREACHABLE_AFTER_MS = 3_600_000;

/** The server, or Gantry for it, has given an answer: asking again would bring the same one. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set([
  'mcp_error',
  'tool_not_found',
  'invalid_params',
  'invalid_request',
]);

export type Failure = {
  readonly error: unknown;
  /** It was written down as started: from then on it may have run, unless the error says otherwise. */
  readonly wasStarted: boolean;
  readonly mayRunTwice: boolean;
};

export type Verdict =
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'retry'; readonly refused: boolean; readonly message: string }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly message: string };

type Counts = Pick<ClaimedTask, 'attempts' | 'maxAttempts' | 'dueAt'>;

/**
 * What becomes of a task whose execution failed: the same rule as for calls. It is executed again only if it was not
 * handed over, or may run twice.
 * @param counts of the task; `attempts` with this one
 */
export function verdictOn({ error, wasStarted, mayRunTwice }: Failure, counts: Counts, now: number): Verdict {
  const message = messageOf(error);
  if (error instanceof GantryError && ANSWERS.has(error.code))
    return { kind: 'failed', code: error.code, message };
  const mayHaveRun = wasStarted && !(error instanceof GantryError && error.detail.mayHaveRun === false);
  if (!mayHaveRun) {
    if (now - counts.dueAt < UNREACHABLE_AFTER_MS) return { kind: 'retry', refused: true, message };
    return { kind: 'dead', reason: 'unreachable', message };
  }
  return afterItMayHaveRun(mayRunTwice, counts, message);
}

/** The same for a task whose consumer was not heard of again after it had handed it over. */
export function verdictOnInterrupted(
  task: Counts & { readonly mayRunTwice: boolean },
  message = 'The orchestrator ended while the task was executed.',
) {
  return afterItMayHaveRun(task.mayRunTwice, task, message);
}

function afterItMayHaveRun(
  mayRunTwice: boolean,
  { attempts, maxAttempts }: Counts,
  message: string,
): Exclude<Verdict, { kind: 'failed' }> {
  if (!mayRunTwice) return { kind: 'dead', reason: 'may_have_run', message };
  if (attempts >= maxAttempts) return { kind: 'dead', reason: 'attempts', message };
  return { kind: 'retry', refused: false, message };
}
