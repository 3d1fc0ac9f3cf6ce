import type { Redis } from 'ioredis';
import { type Clock, GantryError, messageOf, systemClock } from '../kernel/index.ts';
import { closeRedis, redisClient } from './redis-client.ts';
import { byAge, type ServerStore, type StoredEntry, type StoredServer } from './server-store.ts';

export type RedisServerStoreOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
  readonly clock?: Pick<Clock, 'now'>;
  /** Told about stored values that cannot be read; they are left out of lists and left in place. */
  readonly onTrouble?: (message: string) => void;
};

/**
 * Three hashes: `servers` (name → entry as JSON), `created` (name → ISO time), `resolved` (key → version).
 * Hashes, because they change atomically by field and are read in one round trip, with no script to install.
 *
 * Connects with the first command.
 */
export class RedisServerStore implements ServerStore {
  readonly #redis: Redis;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onTrouble: (message: string) => void;
  readonly #keys: { readonly servers: string; readonly created: string; readonly resolved: string };
  #connecting: Promise<void> | null = null;
  #closed = false;
  #lastError: Error | null = null;

  constructor(options: RedisServerStoreOptions) {
    const prefix = options.keyPrefix ?? 'gantry:';
    this.#clock = options.clock ?? systemClock;
    this.#onTrouble = options.onTrouble ?? (() => {});
    this.#keys = { servers: `${prefix}servers`, created: `${prefix}created`, resolved: `${prefix}resolved` };
    this.#redis = redisClient(options.url, options.timeoutMs);
    // Without a listener ioredis prints errors itself. The command that fails reports this one as its cause.
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  async list(): Promise<readonly StoredServer[]> {
    const [entries, created] = await this.#run((redis) =>
      Promise.all([redis.hgetall(this.#keys.servers), redis.hgetall(this.#keys.created)]),
    );
    return Object.entries(entries)
      .flatMap(([name, json]) => {
        const entry = this.#readEntry(name, json);
        return entry === null ? [] : [{ name, entry, createdAt: created[name] ?? new Date(0).toISOString() }];
      })
      .sort(byAge);
  }

  async put(name: string, entry: StoredEntry): Promise<StoredServer> {
    const now = new Date(this.#clock.now()).toISOString();
    const createdAt = await this.#run(async (redis) => {
      const results = await redis
        .multi()
        .hsetnx(this.#keys.created, name, now)
        .hset(this.#keys.servers, name, JSON.stringify(entry))
        .hget(this.#keys.created, name)
        .exec();
      return lastOf<string | null>(results);
    });
    return { name, entry, createdAt: createdAt ?? now };
  }

  async delete(name: string): Promise<boolean> {
    return this.#run(async (redis) => {
      const results = await redis
        .multi()
        .hdel(this.#keys.created, name)
        .hdel(this.#keys.servers, name)
        .exec();
      return lastOf<number>(results) > 0;
    });
  }

  async getResolved(key: string): Promise<string | null> {
    return this.#run((redis) => redis.hget(this.#keys.resolved, key));
  }

  async putResolved(key: string, version: string): Promise<string> {
    return this.#run(async (redis) => {
      const results = await redis
        .multi()
        .hsetnx(this.#keys.resolved, key, version)
        .hget(this.#keys.resolved, key)
        .exec();
      return lastOf<string>(results);
    });
  }

  async deleteResolved(key: string): Promise<boolean> {
    return this.#run(async (redis) => (await redis.hdel(this.#keys.resolved, key)) > 0);
  }

  async ping(): Promise<void> {
    await this.#run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeRedis(this.#redis);
  }

  async #run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      if (this.#closed) throw new Error('the registry is closed');
      await this.#firstConnection();
      return await command(this.#redis);
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** Only the first attempt is waited for; after it, failed or not, ioredis reconnects by itself. */
  async #firstConnection(): Promise<void> {
    if (this.#redis.status === 'wait') {
      this.#connecting = this.#redis.connect().finally(() => {
        this.#connecting = null;
      });
    }
    await this.#connecting;
  }

  #unavailable(error: unknown): GantryError {
    // ioredis says "Stream isn't writeable" where the reason was a refused connection or a wrong password.
    const cause = this.#redis.status === 'ready' ? error : (this.#lastError ?? error);
    return new GantryError('registry_unavailable', 'The registry does not answer; try again shortly.', {
      cause: new Error(messageOf(cause), { cause: error }),
    });
  }

  #readEntry(name: string, json: string): StoredEntry | null {
    try {
      const entry: unknown = JSON.parse(json);
      if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as StoredEntry;
    } catch {
      // Told below, with the name; what was not valid JSON is no more use to anybody than a wrong type.
    }
    this.#onTrouble(`The stored entry of server "${name}" cannot be read; it is left out.`);
    return null;
  }
}

/** The result of a transaction's last command. One failed command fails the whole. */
function lastOf<T>(results: [error: Error | null, result: unknown][] | null): T {
  if (results === null) throw new Error('the transaction was given up');
  for (const [error] of results) if (error !== null) throw error;
  return results.at(-1)?.[1] as T;
}
