import type { Redis } from 'ioredis';
import { GantryError, messageOf } from '../kernel/index.ts';
import { closeRedis, redisClient } from './redis-client.ts';

/** By then a Redis that was restarted is back. */
const RETRY_AFTER_MS = 1000;

/** A connection for commands whose callers wait for the answer: it is made with the first of them. */
export class RedisConnection {
  readonly #redis: Redis;
  #connecting: Promise<void> | null = null;
  #closed = false;
  #lastError: Error | null = null;

  /**
   * @param url `redis://[user]:password@host:port/db`. Never shown: it holds the password.
   * @param timeoutMs longest wait for a connection, and for the answer to one command
   */
  constructor(url: string, timeoutMs?: number) {
    this.#redis = redisClient(url, timeoutMs);
    // Without a listener ioredis prints errors itself. The command that fails reports this one as its cause.
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  /** @throws GantryError registry_unavailable, soon: nobody waits for a reconnect */
  async run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      if (this.#closed) throw new Error('the registry is closed');
      await this.#firstConnection();
      return await command(this.#redis);
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeRedis(this.#redis);
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
      detail: { retryAfterMs: RETRY_AFTER_MS },
      cause: new Error(messageOf(cause), { cause: error }),
    });
  }
}

/** The results of a transaction in the order of its commands. One failed command fails the whole. */
export function resultsOf(results: [error: Error | null, result: unknown][] | null): unknown[] {
  if (results === null) throw new Error('the transaction was given up');
  return results.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}
