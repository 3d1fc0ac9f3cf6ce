import type { ClaimedTask, TaskRecord } from '../kernel/index.ts';

/** What a finished task has: a result as it came, and an error where there was one. */
export type Outcome = {
  readonly status: 'done' | 'failed';
  /** JSON text, passed on as it is: numbers beyond 2^53 do not survive being parsed and written again. */
  readonly result: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
};

/** Larger results are not kept: a few of them would push out all others. */
export const MAX_RESULT_BYTES = 1024 * 1024;

/** What is told of a finished task, by its id and in the results of its topic: one JSON object. */
export function outcomeText(
  task: Pick<ClaimedTask, 'id' | 'topic' | 'attempts' | 'enqueuedAt'>,
  outcome: Outcome,
  by: { readonly agent: string; readonly at: number },
): string {
  const isTooLarge = outcome.result !== null && Buffer.byteLength(outcome.result) > MAX_RESULT_BYTES;
  const { status, result, error } = isTooLarge ? tooLarge(outcome) : outcome;
  const head = { task_id: task.id, status, topic: task.topic, attempts: task.attempts };
  const tail = { error, agent: by.agent, enqueued_at: iso(task.enqueuedAt), finished_at: iso(by.at) };
  return `${JSON.stringify(head).slice(0, -1)},"result":${result ?? 'null'},${JSON.stringify(tail).slice(1)}`;
}

/** The same of a task that is not finished: the same fields, as far as they are known. */
export function statusText(task: TaskRecord): string {
  if (task.outcome !== null) return task.outcome;
  const { id, state, topic, attempts, message, reason } = task;
  const error = message === null ? null : { code: reason ?? 'retrying', message };
  const times = { enqueued_at: iso(task.enqueuedAt), due_at: iso(task.dueAt), finished_at: null };
  return JSON.stringify({
    task_id: id,
    status: state,
    topic,
    attempts,
    result: null,
    error,
    agent: null,
    ...times,
  });
}

function tooLarge({ status, result }: Outcome): Outcome {
  const message = `It was executed, but its result of ${Buffer.byteLength(result ?? '')} bytes is larger than ${MAX_RESULT_BYTES} and was not kept.`;
  return { status, result: null, error: { code: 'result_too_large', message } };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
