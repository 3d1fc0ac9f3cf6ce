import type { ChainableCommander } from 'ioredis';
import { type Clock, systemClock } from '../kernel/index.ts';
import type { Change, HeldKind, Json, KeptKind, MeshStore } from './mesh-store.ts';
import { HELD_KINDS } from './mesh-store.ts';
import { RedisConnection, resultsOf } from './redis-connection.ts';

export type RedisMeshStoreOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
  readonly clock?: Pick<Clock, 'now'>;
  /** Told about stored values that cannot be read; they are left out. */
  readonly onTrouble?: (message: string) => void;
};

/** Far beyond any lease, so that clocks of two holders may differ. */
const FORGOTTEN_AFTER_LEASES = 100;

/**
 * A hash for each kept kind, and one for each kind and holder, which expires as a whole: a field of a hash has no
 * time to live before Redis 7.4. The sorted set `holders` names who may have such hashes, by the time they last said
 * so, because finding keys by pattern would walk through all of them.
 */
export class RedisMeshStore implements MeshStore {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onTrouble: (message: string) => void;

  constructor({ url, timeoutMs, keyPrefix, clock, onTrouble }: RedisMeshStoreOptions) {
    this.#redis = new RedisConnection(url, timeoutMs);
    this.#prefix = keyPrefix ?? 'gantry:';
    this.#clock = clock ?? systemClock;
    this.#onTrouble = onTrouble ?? (() => {});
  }

  async kept(kind: KeptKind): Promise<ReadonlyMap<string, Json>> {
    const key = this.#key(kind);
    return this.#parsed(key, await this.#redis.run((redis) => redis.hgetall(key)));
  }

  async keep(kind: KeptKind, change: Change): Promise<void> {
    await this.#redis.run(async (redis) => {
      resultsOf(await addTo(redis.multi(), this.#key(kind), change).exec());
    });
  }

  async held(kind: HeldKind): Promise<ReadonlyMap<string, ReadonlyMap<string, Json>>> {
    const found = await this.#redis.run(async (redis) => {
      const holders = await redis.zrange(this.#holders, '0', '-1');
      const hashes = await Promise.all(holders.map((holder) => redis.hgetall(this.#key(kind, holder))));
      return holders.map((holder, index) => [holder, hashes[index] ?? {}] as const);
    });
    const records = found.map(
      ([holder, hash]) => [holder, this.#parsed(this.#key(kind, holder), hash)] as const,
    );
    return new Map(records.filter(([, map]) => map.size > 0));
  }

  async hold(kind: HeldKind, holder: string, change: Change, leaseMs: number): Promise<boolean> {
    const key = this.#key(kind, holder);
    const now = this.#clock.now();
    const [existed] = await this.#redis.run(async (redis) => {
      const transaction = redis
        .multi()
        .exists(key)
        .zadd(this.#holders, now, holder)
        .zremrangebyscore(this.#holders, '-inf', now - FORGOTTEN_AFTER_LEASES * leaseMs);
      return resultsOf(await addTo(transaction, key, change).pexpire(key, leaseMs).exec());
    });
    return existed === 1;
  }

  async letGo(holder: string): Promise<void> {
    const keys = HELD_KINDS.map((kind) => this.#key(kind, holder));
    await this.#redis.run(async (redis) => {
      resultsOf(
        await redis
          .multi()
          .unlink(...keys)
          .zrem(this.#holders, holder)
          .exec(),
      );
    });
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    await this.#redis.close();
  }

  get #holders(): string {
    return `${this.#prefix}holders`;
  }

  #key(kind: KeptKind | HeldKind, holder?: string): string {
    return `${this.#prefix}${kind}${holder === undefined ? '' : `:${holder}`}`;
  }

  #parsed(key: string, hash: Readonly<Record<string, string>>): Map<string, Json> {
    const records = new Map<string, Json>();
    for (const [field, text] of Object.entries(hash)) {
      try {
        records.set(field, JSON.parse(text));
      } catch {
        this.#onTrouble(`The record "${field}" of ${key} cannot be read; it is left out.`);
      }
    }
    return records;
  }
}

function addTo(transaction: ChainableCommander, key: string, { put, remove }: Change): ChainableCommander {
  const pairs = [...put].flatMap(([field, value]) => [field, JSON.stringify(value)]);
  if (pairs.length > 0) transaction.hset(key, ...pairs);
  if (remove.length > 0) transaction.hdel(key, ...remove);
  return transaction;
}
