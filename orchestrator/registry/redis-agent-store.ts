import { type Agent, type Clock, GantryError, isObject, systemClock } from '../kernel/index.ts';
import { RedisConnection, resultsOf } from './redis-connection.ts';

export type RedisAgentStoreOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  /** How long an agent is kept after it was last heard of. */
  readonly ttlMs: number;
  readonly maxAgents: number;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
  readonly clock?: Pick<Clock, 'now'>;
};

/**
 * Agents under `mesh:agent:<id>`, which expire by themselves. The sorted set `mesh:agents` names them by the time they
 * do, because finding keys by pattern would walk through all of them. Fulfils the port `AgentStore` of the bus.
 */
export class RedisAgentStore {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #ttlMs: number;
  readonly #maxAgents: number;
  readonly #clock: Pick<Clock, 'now'>;

  constructor({ url, timeoutMs, keyPrefix, ttlMs, maxAgents, clock }: RedisAgentStoreOptions) {
    this.#redis = new RedisConnection(url, timeoutMs);
    this.#prefix = keyPrefix ?? 'gantry:';
    this.#ttlMs = ttlMs;
    this.#maxAgents = maxAgents;
    this.#clock = clock ?? systemClock;
  }

  /** @throws queue_full where there are too many */
  async beat({ id, type, meta }: Agent): Promise<void> {
    const now = this.#clock.now();
    const [known, count] = await this.#redis.run(async (redis) => {
      await redis.zremrangebyscore(this.#index, '-inf', now);
      return Promise.all([redis.zscore(this.#index, id), redis.zcard(this.#index)]);
    });
    if (known === null && count >= this.#maxAgents) {
      const message = `There are ${count} agents already; wait until some are silent.`;
      throw new GantryError('queue_full', message, {
        detail: { limit: this.#maxAgents, retryAfterMs: this.#ttlMs },
      });
    }
    const text = JSON.stringify({ agent_id: id, agent_type: type, meta });
    await this.#redis.run(async (redis) => {
      const transaction = redis.multi().set(this.#key(id), text, 'PX', this.#ttlMs);
      resultsOf(await transaction.zadd(this.#index, now + this.#ttlMs, id).exec());
    });
  }

  async get(id: string): Promise<Agent | null> {
    return agentOf(await this.#redis.run((redis) => redis.get(this.#key(id))));
  }

  async list(): Promise<readonly Agent[]> {
    const texts = await this.#redis.run(async (redis) => {
      const ids = await redis.zrangebyscore(this.#index, this.#clock.now(), '+inf');
      return ids.length === 0 ? [] : redis.mget(...ids.map((id) => this.#key(id)));
    });
    return texts.flatMap((text) => agentOf(text) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    await this.#redis.close();
  }

  get #index(): string {
    return `${this.#prefix}mesh:agents`;
  }

  #key(id: string): string {
    return `${this.#prefix}mesh:agent:${id}`;
  }
}

/** Null for what has expired, or was written by somebody else in another shape. */
function agentOf(text: string | null): Agent | null {
  if (text === null) return null;
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || typeof value.agent_id !== 'string') return null;
  const { agent_id: id, agent_type: type, meta } = value;
  return { id, type: typeof type === 'string' ? type : 'agent', meta: isObject(meta) ? meta : {} };
}
