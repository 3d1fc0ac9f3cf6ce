import type {
  ClaimedTask,
  DeadLetter,
  Ending,
  EnqueueOutcome,
  NewTask,
  TaskClaim,
  TaskLimits,
  TaskRecord,
  TaskResult,
  TaskUsage,
} from '../kernel/index.ts';

/** 64 MiB of tasks and 32 MiB of results leave half of the memory that Redis has by default. */
export const TASK_LIMITS: TaskLimits = {
  maxTasks: 50_000,
  maxBytes: 64 * 1024 * 1024,
  resultsKept: 10_000,
  resultBytes: 32 * 1024 * 1024,
  keptMs: 24 * 3600 * 1000,
};

/**
 * Tasks from the moment they are taken to the moment they are forgotten. Adapters: `redis-task-store` of the registry
 * and its twin `memory-task-store`, which loses everything with the process; one contract suite runs against both
 * (`test/contracts/task-store.ts`).
 *
 * What a method has resolved for is on disk. Every method rejects with `GantryError('registry_unavailable')` when the
 * store does not answer; it may have been done all the same. Doing it again then does no harm: `start` and `settle` do
 * nothing for a task that its consumer has no longer, `enqueue` nothing for an idempotency key that is known.
 */
export type TaskStore = {
  /** All or none. */
  enqueue(tasks: readonly NewTask[]): Promise<EnqueueOutcome>;
  /** Higher priorities first, in each the oldest. Also what the consumer had already, where a reply was lost. */
  claim(request: TaskClaim): Promise<readonly ClaimedTask[]>;
  /** Written down before a task is handed over. False: another consumer has it; it must not be executed. */
  start(
    consumer: string,
    tasks: readonly { readonly id: string; readonly mayRunTwice: boolean }[],
  ): Promise<readonly boolean[]>;
  /** The result is stored and the entry acknowledged, in one step. False: it was no longer the consumer's. */
  settle(consumer: string, endings: readonly Ending[]): Promise<readonly boolean[]>;
  /** Still at it. False: it is no longer the consumer's. */
  renew(consumer: string, ids: readonly string[]): Promise<readonly boolean[]>;
  /** @returns null for one that never was or is forgotten. */
  task(id: string): Promise<TaskRecord | null>;
  /** Newest first; only a principal's own, where one is given. */
  results(topic: string, count: number, principal: string | null): Promise<readonly TaskResult[]>;
  dead(topic: string, count: number, principal: string | null): Promise<readonly DeadLetter[]>;
  /** Back into its queue, with all its attempts. @returns whether it was dead. */
  replay(id: string): Promise<boolean>;
  /** Forgets it. @returns whether it was dead. */
  discard(id: string): Promise<boolean>;
  usage(): Promise<TaskUsage>;
  close(): Promise<void>;
};

/** Name of the Redis stream that a task waits in, after `stream:tasks:`. Neither `@` nor `#` can be in a topic. */
export function streamOf({ topic, lane, priority }: Pick<NewTask, 'topic' | 'lane' | 'priority'>): string {
  return `${topic}${lane === '' ? '' : `@${lane}`}${priority === 0 ? '' : `#${priority}`}`;
}
