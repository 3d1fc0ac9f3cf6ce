import type { ChainableCommander, Redis } from 'ioredis';
import { messageOf } from '../kernel/index.ts';
import { closeRedis, redisClient } from './redis-client.ts';
import { resultsOf } from './redis-connection.ts';

export type RedisEventLogOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  /** How long a stream is kept after it was last written to. */
  readonly keptMs: number;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
  /** Told when messages begin to get lost, once until it works again. */
  readonly onTrouble?: (message: string) => void;
};

type Entry = { readonly seq: number; readonly message: string };
type Write = (pipeline: ChainableCommander) => void;

/** Messages on their way to a Redis that does not keep up; what is more than that is not remembered. */
const maxUnconfirmedBytes = 32 * 1024 * 1024;

/**
 * What was said on the streams of sessions, for clients that come back: a Redis stream for each, whose entries
 * carry the number of the message as their id. Fulfils the port `EventLog` of the session room.
 *
 * Nobody waits for a write: those of one turn of the event loop go out together, and all of them or none are
 * remembered. Only who comes back waits, for
 * one answer on the same connection, so that it follows every write before it.
 */
export class RedisEventLog {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #keptMs: number;
  readonly #onTrouble: (message: string) => void;
  #writes: Write[] = [];
  readonly #touched = new Set<string>();
  readonly #companions = new Set<() => void>();
  #waitingBytes = 0;
  #unconfirmedBytes = 0;
  #isFailing = false;
  /** Of the writes that were asked for last. */
  #unwritten: PromiseWithResolvers<void> | null = null;

  constructor({ url, keptMs, timeoutMs, keyPrefix, onTrouble }: RedisEventLogOptions) {
    this.#redis = redisClient(url, timeoutMs);
    this.#prefix = keyPrefix ?? 'gantry:events:';
    this.#keptMs = keptMs;
    this.#onTrouble = onTrouble ?? (() => {});
    // Without a listener ioredis prints errors itself; the write that fails tells.
    this.#redis.on('error', () => {});
    this.#redis.connect().catch(() => {
      // ioredis tries again by itself; until then writes fail, and that is told.
    });
  }

  append(stream: string, { seq, message }: Entry): void {
    const bytes = Buffer.byteLength(message);
    if (this.#unconfirmedBytes + bytes > maxUnconfirmedBytes) return this.#fails('it does not keep up');
    this.#unconfirmedBytes += bytes;
    this.#waitingBytes += bytes;
    const key = this.#prefix + stream;
    this.#touched.add(key);
    this.#write((pipeline) => pipeline.xadd(key, `${seq}-0`, 'm', message));
  }

  /** @throws the error of Redis */
  async since(stream: string, after: number): Promise<readonly Entry[]> {
    this.#flush();
    const entries = await this.#redis.xrange(this.#prefix + stream, `${after + 1}-0`, '+');
    return entries.map(([id, [, message = '']]) => ({ seq: Number.parseInt(id, 10), message }));
  }

  drop(stream: string, below?: number): void {
    const key = this.#prefix + stream;
    if (below === undefined) this.#touched.delete(key);
    this.#write((pipeline) =>
      below === undefined ? pipeline.unlink(key) : pipeline.xtrim(key, 'MINID', `${below}-0`),
    );
  }

  /** @throws the error of Redis */
  async lastOf(streams: readonly string[]): Promise<readonly number[]> {
    if (streams.length === 0) return [];
    this.#flush();
    const pipeline = this.#redis.pipeline();
    for (const stream of streams) pipeline.xrevrange(this.#prefix + stream, '+', '-', 'COUNT', 1);
    const found = resultsOf(await pipeline.exec()) as [id: string, fields: string[]][][];
    return found.map(([last]) => (last === undefined ? 0 : Number.parseInt(last[0], 10)));
  }

  note(key: string, value: unknown): void {
    this.#write((pipeline) =>
      value === null
        ? pipeline.hdel(this.#notes, key)
        : pipeline.hset(this.#notes, key, JSON.stringify(value)),
    );
  }

  /** @throws the error of Redis */
  async notes(): Promise<ReadonlyMap<string, unknown>> {
    this.#flush();
    const texts = Object.entries(await this.#redis.hgetall(this.#notes));
    return new Map(texts.map(([key, text]) => [key, JSON.parse(text) as unknown]));
  }

  accompany(add: () => void): () => void {
    this.#companions.add(add);
    return () => this.#companions.delete(add);
  }

  get unwritten(): Promise<void> | null {
    return this.#unwritten?.promise ?? null;
  }

  async close(): Promise<void> {
    this.#flush();
    await closeRedis(this.#redis);
  }

  /** Names of streams begin with random characters, never with a colon. */
  get #notes(): string {
    return `${this.#prefix}:open`;
  }

  #write(write: Write): void {
    if (this.#writes.push(write) > 1) return;
    this.#unwritten = Promise.withResolvers<void>();
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#writes.length === 0) return;
    for (const add of this.#companions) add();
    const written = this.#unwritten;
    const pipeline = this.#redis.multi();
    for (const write of this.#writes) write(pipeline);
    for (const key of this.#touched) pipeline.pexpire(key, this.#keptMs);
    const bytes = this.#waitingBytes;
    this.#writes = [];
    this.#touched.clear();
    this.#waitingBytes = 0;
    void pipeline
      .exec()
      .then((results) => {
        const failed = results?.find(([error]) => error !== null)?.[0];
        if (failed != null) return this.#fails(messageOf(failed));
        this.#isFailing = false;
      })
      .catch((error) => this.#fails(messageOf(error)))
      .finally(() => {
        this.#unconfirmedBytes -= bytes;
        if (this.#unwritten === written) this.#unwritten = null;
        written?.resolve();
      });
  }

  #fails(why: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#onTrouble(`Redis takes no messages of streams (${why}): broken streams may lose some of them.`);
  }
}
