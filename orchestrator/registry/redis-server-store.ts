import { type Clock, systemClock } from '../kernel/index.ts';
import { RedisConnection, resultsOf } from './redis-connection.ts';
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
  readonly #redis: RedisConnection;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onTrouble: (message: string) => void;
  readonly #keys: { readonly servers: string; readonly created: string; readonly resolved: string };

  constructor(options: RedisServerStoreOptions) {
    const prefix = options.keyPrefix ?? 'gantry:';
    this.#clock = options.clock ?? systemClock;
    this.#onTrouble = options.onTrouble ?? (() => {});
    this.#keys = { servers: `${prefix}servers`, created: `${prefix}created`, resolved: `${prefix}resolved` };
    this.#redis = new RedisConnection(options.url, options.timeoutMs);
  }

  async list(): Promise<readonly StoredServer[]> {
    const [entries, created] = await this.#redis.run((redis) =>
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
    const createdAt = await this.#redis.run(async (redis) => {
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
    return this.#redis.run(async (redis) => {
      const results = await redis
        .multi()
        .hdel(this.#keys.created, name)
        .hdel(this.#keys.servers, name)
        .exec();
      return lastOf<number>(results) > 0;
    });
  }

  async getResolved(key: string): Promise<string | null> {
    return this.#redis.run((redis) => redis.hget(this.#keys.resolved, key));
  }

  async putResolved(key: string, version: string): Promise<string> {
    return this.#redis.run(async (redis) => {
      const results = await redis
        .multi()
        .hsetnx(this.#keys.resolved, key, version)
        .hget(this.#keys.resolved, key)
        .exec();
      return lastOf<string>(results);
    });
  }

  async ping(): Promise<void> {
    await this.#redis.run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    await this.#redis.close();
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

/** The result of a transaction's last command. */
function lastOf<T>(results: Parameters<typeof resultsOf>[0]): T {
  return resultsOf(results).at(-1) as T;
}
