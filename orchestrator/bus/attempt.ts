import { type ClaimedTask, type Clock, type Ending, GantryError } from '../kernel/index.ts';
import { backoffMs } from './backoff.ts';
import { outcomeText } from './outcome.ts';
import { readToolTask, type ToolTask } from './tool-task.ts';
import { type Failure, type Verdict, verdictOn, verdictOnInterrupted } from './verdict.ts';

/**
 * Calls a tool. `beforeSend` is awaited when a process was found, before anything is written to it; the call ends
 * unsent with what it throws. @returns the exact JSON text of the result
 */
export type Execute = (
  task: ToolTask & { readonly principal: string },
  options: { readonly signal: AbortSignal; readonly beforeSend: () => Promise<void> },
) => Promise<{ readonly raw: string; readonly isError: boolean }>;

export type AttemptOptions = {
  readonly execute: Execute;
  /** Whether the tool says of itself that it may run twice. */
  readonly mayRunTwice: (server: string, tool: string) => boolean;
  /** Writes down that it is about to be handed over. False: it is another consumer's. */
  readonly start: (mayRunTwice: boolean) => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly consumer: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: () => number;
};

/**
 * One attempt at a task that is in hand.
 * @returns how it ended; null where the task has become another consumer's, and was not executed here
 */
export async function attemptTask(task: ClaimedTask, options: AttemptOptions): Promise<Ending | null> {
  const call = readToolTask(task.json);
  if (call === null) {
    const message = 'It does not name a server and a tool.';
    return { id: task.id, kind: 'dead', reason: 'not_a_task', message };
  }
  if (task.interrupted) {
    const verdict = verdictOnInterrupted(task);
    // What may run again does so at once: it has waited for long enough.
    if (verdict.kind === 'dead') return { id: task.id, ...verdict };
  }
  const { execute, mayRunTwice, start, signal, clock } = options;
  const failure = { wasStarted: false, mayRunTwice: false, isLost: false };
  const beforeSend = async (): Promise<void> => {
    if (failure.wasStarted) return; // the router tries another replica
    failure.mayRunTwice = mayRunTwice(call.server, call.tool);
    failure.isLost = !(await start(failure.mayRunTwice));
    if (failure.isLost) throw new GantryError('cancelled', `Task ${task.id} is in other hands.`);
    failure.wasStarted = true;
  };
  try {
    const { raw, isError } = await execute({ ...call, principal: task.principal }, { signal, beforeSend });
    const error = isError ? { code: 'tool_error', message: 'The tool answered with an error.' } : null;
    const status = isError ? 'failed' : 'done';
    return finished(task, { status, result: raw, error }, options);
  } catch (error) {
    return failure.isLost ? null : failed(task, { ...failure, error }, options, clock.now());
  }
}

function failed(task: ClaimedTask, failure: Failure, options: AttemptOptions, now: number): Ending {
  const attempts = task.attempts + (failure.wasStarted ? 1 : 0);
  const verdict = verdictOn(failure, { ...task, attempts }, now);
  if (verdict.kind !== 'failed') return endingOf({ ...task, attempts }, verdict, options.random);
  const { code, message } = verdict;
  return finished(task, { status: 'failed', result: null, error: { code, message } }, options);
}

function finished(
  task: ClaimedTask,
  outcome: Parameters<typeof outcomeText>[1],
  { consumer, clock }: AttemptOptions,
): Ending {
  const counted = { ...task, attempts: task.attempts + 1 };
  const json = outcomeText(counted, outcome, { agent: consumer, at: clock.now() });
  return { id: task.id, kind: outcome.status, json };
}

function endingOf(
  { id, attempts, refusals }: ClaimedTask,
  verdict: Exclude<Verdict, { kind: 'failed' }>,
  random: () => number,
): Ending {
  if (verdict.kind === 'dead') return { id, ...verdict };
  return { id, ...verdict, delayMs: backoffMs(verdict.refused ? refusals + 1 : attempts, random) };
}
