/** The topic whose tasks the mesh executes itself: each names a server and a tool. All others are for agents. */
export const MESH_TOPIC = 'mcp';

/** What a topic may be called: in the API, in keys of Redis and in the names of streams. */
export const topicPattern = /^[a-z0-9:_-]{1,64}$/;

/** Most urgent; 0 is the least. */
export const HIGHEST_PRIORITY = 9;

/**
 * `delayed`: not due yet, or waiting for its next attempt. `failed`: it was answered, with an error. `dead`: given up;
 * it waits among the dead letters until somebody replays or discards it.
 */
export type TaskState = 'queued' | 'delayed' | 'running' | 'done' | 'failed' | 'dead';

/**
 * Why a task is among the dead letters. `may_have_run`: it may have run, and must not run twice. `attempts`: it failed
 * as often as it may. `unreachable`: no process could be had for it for too long. `not_a_task`: nobody can read it.
 */
export type DeadReason = 'may_have_run' | 'attempts' | 'unreachable' | 'not_a_task';

/** A task as somebody asks for it. */
export type TaskRequest = {
  readonly topic: string;
  readonly task: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly delayMs: number;
  readonly idempotencyKey: string | null;
  readonly maxAttempts: number;
  /** For agents' topics; for the mesh's own the tool itself says it. */
  readonly mayRunTwice: boolean;
};

export type NewTask = {
  readonly id: string;
  readonly topic: string;
  /** Tasks of one lane do not hold up those of another: for the mesh's own topic the server, else empty. */
  readonly lane: string;
  readonly priority: number;
  readonly delayMs: number;
  /** The task itself, as JSON text. */
  readonly json: string;
  /** Who enqueued it, and in whose name it is executed. */
  readonly principal: string;
  /** A digest of what its caller called it and for whom; of tasks with the same one only the first is taken. */
  readonly idempotencyKey: string | null;
  /** A digest of what it is, so that a key that is used for something else is noticed. */
  readonly digest: string;
  readonly maxAttempts: number;
  /** Whether it may run a second time when it is not known whether it did. */
  readonly mayRunTwice: boolean;
};

/** What became of a task that was to be taken. */
export type EnqueuedTask = {
  /** Of the task that was first with this idempotency key, where there was one. */
  readonly id: string;
  readonly state: TaskState;
  readonly existed: boolean;
};

/** `full`: nothing was taken. `conflict`: an idempotency key stands for another task; nothing was taken. */
export type EnqueueOutcome = readonly EnqueuedTask[] | 'full' | 'conflict';

/** What a consumer asks for. */
export type TaskClaim = {
  readonly topic: string;
  readonly consumer: string;
  readonly count: number;
  /** Most tasks of one lane in the hands of this consumer; `busy` are those it has. */
  readonly perLane: number;
  readonly busy: ReadonlyMap<string, number>;
  /** Which lane begins: counted up by the caller, so that each has its turn. */
  readonly turn: number;
  /** Takes over what others have not renewed for so long; null leaves it. */
  readonly abandonedAfterMs: number | null;
};

/** A task that a consumer has in hand: until it is settled, or its consumer is not heard of for too long. */
export type ClaimedTask = {
  readonly id: string;
  readonly topic: string;
  readonly lane: string;
  readonly priority: number;
  readonly json: string;
  readonly principal: string;
  /** How often it was handed over to be executed. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** How often nobody was there to execute it. */
  readonly refusals: number;
  readonly mayRunTwice: boolean;
  /** Somebody else had it, handed it over and was not heard of again: it may have run. */
  readonly interrupted: boolean;
  /** The consumer had it already: it is at work on it, or the reply that gave it to it was lost. */
  readonly wasHeld: boolean;
  /** Milliseconds since the epoch, as are all times here. */
  readonly enqueuedAt: number;
  /** When it was first to be executed. */
  readonly dueAt: number;
};

/** What an agent says of a task it had. */
export type AgentOutcome = {
  readonly status: 'done' | 'failed' | 'retry';
  readonly result: unknown;
  readonly message: string | null;
};

/** How an attempt ended. `json` is what is told about the task from then on. */
export type Ending =
  | { readonly id: string; readonly kind: 'done' | 'failed'; readonly json: string }
  | {
      readonly id: string;
      readonly kind: 'retry';
      readonly delayMs: number;
      /** It was not handed over: that is no attempt. */
      readonly refused: boolean;
      readonly message: string;
    }
  | {
      readonly id: string;
      readonly kind: 'dead';
      readonly reason: DeadReason;
      readonly message: string;
    };

export type TaskRecord = {
  readonly id: string;
  readonly topic: string;
  readonly state: TaskState;
  readonly priority: number;
  readonly principal: string;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly enqueuedAt: number;
  readonly dueAt: number;
  /** What went wrong last, or null. */
  readonly message: string | null;
  readonly reason: DeadReason | null;
  /** What was told at its end (`Ending.json`); null before. */
  readonly outcome: string | null;
};

export type TaskResult = { readonly id: string; readonly json: string };

export type DeadLetter = {
  readonly id: string;
  readonly json: string;
  readonly reason: DeadReason;
  readonly message: string;
  readonly attempts: number;
  readonly diedAt: number;
};

/** What the bus may hold. A full one refuses; it never drops what nobody has executed. */
export type TaskLimits = {
  /** Open tasks of all topics: everything but what is done or failed. Dead letters are open. */
  readonly maxTasks: number;
  readonly maxBytes: number;
  /** Finished tasks that are kept for each topic, the newest, and for how long. */
  readonly resultsKept: number;
  readonly resultBytes: number;
  readonly keptMs: number;
};

export type TaskUsage = { readonly open: number; readonly dead: number; readonly bytes: number };

/** Somebody who consumes tasks, and was heard of lately. */
export type Agent = {
  readonly id: string;
  readonly type: string;
  readonly meta: Readonly<Record<string, unknown>>;
};
