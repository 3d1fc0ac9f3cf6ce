import type { TaskStore } from '../../../orchestrator/bus/index.ts';
import type { EnqueueOutcome, NewTask, TaskClaim, TaskLimits } from '../../../orchestrator/kernel/index.ts';

/** What was seen, and what should have been. */
export type Seen = readonly [seen: unknown, expected: unknown];
export type Case = (store: TaskStore, pass: (ms: number) => Promise<void>) => Promise<Seen[]>;

export const LIMITS: TaskLimits = {
  maxTasks: 8,
  maxBytes: 1000,
  resultsKept: 3,
  resultBytes: 500,
  keptMs: 60_000,
};
/** Some of the tests really wait: long enough that a busy machine does not pass it between two commands. */
export const WAIT_MS = 1000;
export const ABANDONED_AFTER_MS = 3000;

export function task(id: string, more: Partial<NewTask> = {}): NewTask {
  return {
    ...{ id, topic: 'mcp', lane: 'a', priority: 0, delayMs: 0, json: `{"n":"${id}"}`, principal: 'alice' },
    ...{ idempotencyKey: null, digest: `digest-of-${id}`, maxAttempts: 3, mayRunTwice: false },
    ...more,
  };
}

export function claim(consumer: string, count: number, more: Partial<TaskClaim> = {}): TaskClaim {
  const free = { perLane: 100, busy: new Map(), turn: 0, abandonedAfterMs: null };
  return { topic: 'mcp', consumer, count, ...free, ...more };
}

export const ids = (tasks: readonly { readonly id: string }[]): string[] => tasks.map(({ id }) => id);
export const told = (outcome: EnqueueOutcome) =>
  typeof outcome === 'string' ? outcome : outcome.map(({ id, state, existed }) => [id, state, existed]);
export const dead = (id: string) => ({ id, kind: 'dead', reason: 'attempts', message: 'too often' }) as const;
export const retry = (id: string, delayMs: number, refused = false) =>
  ({ id, kind: 'retry', delayMs, refused, message: 'not now' }) as const;
export const done = (id: string, json = `{"of":"${id}"}`) => ({ id, kind: 'done', json }) as const;
