import { createHash } from 'node:crypto';
import {
  type DeadLetter,
  type EnqueuedTask,
  type EnqueueOutcome,
  type Facts,
  GantryError,
  MESH_TOPIC,
  type NewTask,
  newTaskId,
  type TaskRecord,
  type TaskRequest,
  type TaskResult,
} from '../kernel/index.ts';
import { Batch } from './batch.ts';
import { statusText } from './outcome.ts';
import { TASK_LIMITS, type TaskStore } from './task-store.ts';
import { toolTaskOf } from './tool-task.ts';

export type TaskBusOptions = {
  readonly store: TaskStore;
  readonly facts: Facts;
  /** @throws GantryError server_not_found, tool_not_found (not offered) */
  readonly checkTool: (server: string, tool: string) => void;
  /** Told that the mesh's own topic has something new. */
  readonly onTasks: () => void;
};

/** Half a second's work of a full bus is done by then. */
const RETRY_AFTER_MS = 1000;
const MOST_REQUESTS_IN_A_SCRIPT = 100;
/** What each task counts beside its JSON, so that not many more than a thousand, the most of one request, go together. */
const BYTES_OF_A_TASK = 4096;

/**
 * Takes tasks, says what became of them, and keeps the dead letters. Whoever asks sees what its principal enqueued;
 * `viewer` null sees everything. Every method rejects with `registry_unavailable` where the store does not answer.
 */
export class TaskBus {
  readonly #options: TaskBusOptions;
  readonly #enqueues: Batch<readonly NewTask[], EnqueueOutcome>;

  constructor(options: TaskBusOptions) {
    this.#options = options;
    const together = (requests: readonly (readonly NewTask[])[]) => this.#enqueueTogether(requests);
    this.#enqueues = new Batch(MOST_REQUESTS_IN_A_SCRIPT, together, bytesOf);
  }

  /**
   * All or none; the answer comes when they are on disk.
   * @throws GantryError unprocessable, server_not_found, tool_not_found (not offered), queue_full, invalid_state (the
   * idempotency key stands for another task)
   */
  async enqueue(requests: readonly TaskRequest[], principal: string): Promise<readonly EnqueuedTask[]> {
    const tasks = requests.map((request) => this.#taskOf(request, principal));
    const outcome = await this.#enqueues.add(tasks);
    const topic = tasks[0]?.topic ?? MESH_TOPIC;
    if (outcome === 'conflict') {
      throw new GantryError(
        'invalid_state',
        'The idempotency key stands for another task; nothing was enqueued.',
      );
    }
    if (outcome === 'full') {
      this.#options.facts.state({ type: 'task.refused', topic, count: tasks.length });
      const message = 'The task bus is full; try again later, and look at the dead letters, which count too.';
      const { maxTasks, maxBytes } = TASK_LIMITS;
      throw new GantryError('queue_full', message, {
        detail: { maxTasks, maxBytes, retryAfterMs: RETRY_AFTER_MS },
      });
    }
    const count = outcome.filter(({ existed }) => !existed).length;
    this.#options.facts.state({ type: 'task.enqueued', topic, count });
    if (tasks.some((task) => task.topic === MESH_TOPIC)) this.#options.onTasks();
    return outcome;
  }

  /** @returns one JSON object. @throws GantryError task_not_found */
  async status(id: string, viewer: string | null): Promise<string> {
    return statusText(await this.#record(id, viewer));
  }

  results(topic: string, count: number, viewer: string | null): Promise<readonly TaskResult[]> {
    return this.#options.store.results(topic, count, viewer);
  }

  dead(topic: string, count: number, viewer: string | null): Promise<readonly DeadLetter[]> {
    return this.#options.store.dead(topic, count, viewer);
  }

  /** Back into its queue with all its attempts, also where it may have run: that is the caller's decision. @throws task_not_found, invalid_state */
  async replay(id: string, viewer: string | null): Promise<void> {
    const { topic } = await this.#record(id, viewer);
    if (!(await this.#options.store.replay(id))) throw notDead(id);
    this.#options.facts.state({ type: 'task.revived', topic, how: 'replayed' });
    this.#options.onTasks();
  }

  /** @throws GantryError task_not_found, invalid_state */
  async discard(id: string, viewer: string | null): Promise<void> {
    const { topic } = await this.#record(id, viewer);
    if (!(await this.#options.store.discard(id))) throw notDead(id);
    this.#options.facts.state({ type: 'task.revived', topic, how: 'discarded' });
  }

  /** Tasks that wait or are executed, and dead letters. */
  async backlog(): Promise<{ readonly pending: number; readonly dead: number }> {
    const { open, dead } = await this.#options.store.usage();
    return { pending: open - dead, dead };
  }

  async #record(id: string, viewer: string | null): Promise<TaskRecord> {
    const record = await this.#options.store.task(id);
    if (record !== null && (viewer === null || record.principal === viewer)) return record;
    const message = `There is no task ${id}: there never was, or it was over for so long that it is forgotten.`;
    throw new GantryError('task_not_found', message);
  }

  #taskOf(request: TaskRequest, principal: string): NewTask {
    const { topic, task, idempotencyKey, ...rest } = request;
    const json = JSON.stringify(task);
    const lane = topic === MESH_TOPIC ? this.#serverOf(task) : '';
    const key = idempotencyKey === null ? null : digestOf(principal, topic, idempotencyKey);
    return {
      ...rest,
      id: newTaskId(),
      topic,
      lane,
      json,
      principal,
      idempotencyKey: key,
      digest: digestOf(json),
    };
  }

  #serverOf(task: Readonly<Record<string, unknown>>): string {
    const call = toolTaskOf(task);
    if (call === null) {
      const message = `A task of topic ${MESH_TOPIC} has task_type, such as "everything/echo", and payload, an object.`;
      throw new GantryError('unprocessable', message);
    }
    this.#options.checkTool(call.server, call.tool);
    return call.server;
  }

  /** What comes at the same time goes to Redis together, and is one wait for its disk. */
  async #enqueueTogether(requests: readonly (readonly NewTask[])[]): Promise<readonly EnqueueOutcome[]> {
    const { store } = this.#options;
    const outcome = await store.enqueue(requests.flat());
    if (typeof outcome !== 'string') {
      const answers = [...outcome];
      return requests.map(({ length }) => answers.splice(0, length));
    }
    // It holds for the whole: which of them is meant shows one by one.
    return requests.length === 1 ? [outcome] : Promise.all(requests.map((tasks) => store.enqueue(tasks)));
  }
}

function bytesOf(tasks: readonly NewTask[]): number {
  return tasks.reduce((sum, { json }) => sum + json.length + BYTES_OF_A_TASK, 0);
}

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url');
}

function notDead(id: string): GantryError {
  return new GantryError('invalid_state', `Task ${id} is not among the dead letters.`);
}
