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
import { RedisConnection } from './redis-connection.ts';
import { redisScript, type Script } from './redis-script.ts';
import { claimedOf, entriesOf, letterOf, recordOf } from './redis-task-replies.ts';

export type RedisTaskStoreOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  readonly limits: TaskLimits;
  /** Name of the stream that a task waits in. */
  readonly streamOf: (task: NewTask) => string;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
};

const SCRIPTS = {
  enqueue: redisScript('tasks', 'enqueue'),
  claim: redisScript('tasks', 'claim'),
  start: redisScript('tasks', 'start'),
  settle: redisScript('tasks', 'settle'),
  renew: redisScript('tasks', 'renew'),
  replay: redisScript('tasks', 'replay'),
};

/** Finished tasks and dead letters that are looked through for those of one principal. */
const LOOKED_THROUGH = 1000;

/**
 * Tasks in Redis streams. Fulfils the port `TaskStore` of the bus. Each step is one script, so a crash of anybody finds
 * it done or not done. Keys, after the prefix:
 *
 * - `stream:tasks:<topic>`, with `@<lane>` and `#<priority>` where a task has them: what waits and what is in hand, in the
 *   consumer group `default`; an entry is gone when its task is settled
 * - `tasks:streams:<topic>` the streams of a topic that hold something, by priority; `tasks:delayed:<topic>` by due time
 * - `task:<id>` all that is known of a task but its JSON, which is in its entry, or here while the task is delayed
 * - `stream:results:<topic>`, `stream:dead:<topic>`, `task:key:<digest>` idempotency, `tasks:usage` counts
 */
export class RedisTaskStore {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #limits: TaskLimits;
  readonly #streamOf: (task: NewTask) => string;

  constructor({ url, timeoutMs, keyPrefix, limits, streamOf }: RedisTaskStoreOptions) {
    this.#redis = new RedisConnection(url, timeoutMs);
    this.#prefix = keyPrefix ?? 'gantry:';
    this.#limits = limits;
    this.#streamOf = streamOf;
  }

  async enqueue(tasks: readonly NewTask[]): Promise<EnqueueOutcome> {
    const args = tasks.flatMap((task) => [
      ...[task.id, task.topic, this.#streamOf(task), task.priority, task.delayMs],
      ...[task.idempotencyKey ?? '', task.digest, task.principal, task.maxAttempts],
      ...[task.mayRunTwice ? 1 : 0, task.json],
    ]);
    const { maxTasks, maxBytes } = this.#limits;
    const reply = await this.#run(SCRIPTS.enqueue, [maxTasks, maxBytes, ...args]);
    if (reply === 'full' || reply === 'conflict') return reply;
    return (reply as [string, TaskRecord['state'], string][]).map(([id, state, existed]) => ({
      id,
      state,
      existed: existed === '1',
    }));
  }

  async claim(request: TaskClaim): Promise<readonly ClaimedTask[]> {
    const { topic, consumer, count, perLane, busy, turn, abandonedAfterMs } = request;
    const args = [topic, consumer, count, perLane, turn, abandonedAfterMs ?? '', ...[...busy].flat()];
    const reply = await this.#run(SCRIPTS.claim, args);
    return (reply as string[][]).map((fields) => claimedOf(topic, consumer, fields));
  }

  async start(consumer: string, tasks: readonly { readonly id: string; readonly mayRunTwice: boolean }[]) {
    const args = tasks.flatMap(({ id, mayRunTwice }) => [id, mayRunTwice ? 1 : 0]);
    return flags(await this.#run(SCRIPTS.start, [consumer, ...args]));
  }

  async settle(consumer: string, endings: readonly Ending[]): Promise<readonly boolean[]> {
    const args = endings.flatMap((ending) => {
      const { id, kind } = ending;
      if (kind === 'retry') return [id, kind, ending.message, '', ending.delayMs, ending.refused ? 1 : 0];
      if (kind === 'dead') return [id, kind, ending.message, ending.reason, 0, 0];
      return [id, kind, ending.json, '', 0, 0];
    });
    const { resultsKept, resultBytes, keptMs } = this.#limits;
    return flags(await this.#run(SCRIPTS.settle, [consumer, resultsKept, resultBytes, keptMs, ...args]));
  }

  async renew(consumer: string, ids: readonly string[]): Promise<readonly boolean[]> {
    return flags(await this.#run(SCRIPTS.renew, [consumer, ...ids]));
  }

  async task(id: string): Promise<TaskRecord | null> {
    return this.#redis.run(async (redis) => {
      const fields = await redis.hgetall(`${this.#prefix}task:${id}`);
      if (fields.topic === undefined) return null;
      if (fields.result === undefined) return recordOf(id, fields, null);
      const key = `${this.#prefix}stream:results:${fields.topic}`;
      const [entry] = entriesOf(await redis.xrange(key, fields.result, fields.result));
      return entry === undefined ? null : recordOf(id, fields, entry.json ?? null);
    });
  }

  async results(topic: string, count: number, principal: string | null): Promise<readonly TaskResult[]> {
    const entries = await this.#newest(`stream:results:${topic}`, count, principal);
    return entries.map(({ entry = '', json = '' }) => ({ id: entry, json }));
  }

  async dead(topic: string, count: number, principal: string | null): Promise<readonly DeadLetter[]> {
    return (await this.#newest(`stream:dead:${topic}`, count, principal)).map(letterOf);
  }

  async replay(id: string): Promise<boolean> {
    return (await this.#run(SCRIPTS.replay, [id, 'replay'])) === 1;
  }

  async discard(id: string): Promise<boolean> {
    return (await this.#run(SCRIPTS.replay, [id, 'discard'])) === 1;
  }

  async usage(): Promise<TaskUsage> {
    const counts = await this.#redis.run((redis) => redis.hgetall(`${this.#prefix}tasks:usage`));
    const { open = '0', dead = '0', bytes = '0' } = counts;
    return { open: Number(open), dead: Number(dead), bytes: Number(bytes) };
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    await this.#redis.close();
  }

  async #newest(key: string, count: number, principal: string | null) {
    const looked = principal === null ? count : LOOKED_THROUGH;
    const found = await this.#redis.run((redis) =>
      redis.xrevrange(this.#prefix + key, '+', '-', 'COUNT', looked),
    );
    const own = entriesOf(found).filter(({ by }) => principal === null || by === principal);
    return own.slice(0, count);
  }

  #run(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    return this.#redis.run((redis) => script(redis, this.#prefix, args));
  }
}

function flags(reply: unknown): readonly boolean[] {
  return (reply as number[]).map((one) => one === 1);
}
