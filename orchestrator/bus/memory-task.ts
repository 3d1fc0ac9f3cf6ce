import type { DeadReason, NewTask, TaskRecord } from '../kernel/index.ts';
import { streamOf } from './task-store.ts';

/** A task in the memory of this process. */
export type MemoryTask = NewTask & {
  state: TaskRecord['state'];
  attempts: number;
  refusals: number;
  enqueuedAt: number;
  dueAt: number;
  /** When it is to be handed out again, while it is delayed. */
  readyAt: number;
  mayRunTwice: boolean;
  holder: string | null;
  renewedAt: number;
  message: string | null;
  reason: DeadReason | null;
  diedAt: number;
  /** Its place among those that wait. */
  place: number;
  outcome: { readonly id: string; readonly json: string } | null;
};

export function memoryTask(task: NewTask, enqueuedAt: number, place: number): MemoryTask {
  const dueAt = enqueuedAt + task.delayMs;
  const state = task.delayMs > 0 ? 'delayed' : 'queued';
  const fresh = {
    attempts: 0,
    refusals: 0,
    holder: null,
    renewedAt: 0,
    message: null,
    reason: null,
    diedAt: 0,
  };
  return { ...task, ...fresh, state, enqueuedAt, dueAt, readyAt: dueAt, place, outcome: null };
}

/** What waits: higher priorities first, among equals one stream after another from whose turn it is, each oldest first. */
export function inTurn(tasks: readonly MemoryTask[], turn: number): MemoryTask[] {
  const waiting = tasks.filter(({ state, holder }) => state === 'queued' && holder === null);
  const streams = Map.groupBy(waiting, streamOf);
  const byPriority = Map.groupBy([...streams.values()], ([first]) => first?.priority ?? 0);
  return [...byPriority]
    .sort(([a], [b]) => b - a)
    .flatMap(([, equals]) => equals.map((_, index) => equals[(index + turn) % equals.length] ?? []))
    .flatMap((stream) => stream.toSorted((a, b) => a.place - b.place));
}
