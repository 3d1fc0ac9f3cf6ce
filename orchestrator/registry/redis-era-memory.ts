import type { Redis } from 'ioredis';
import { type EraVerdict, messageOf } from '../kernel/index.ts';
import { RedisConnection } from './redis-connection.ts';

export type RedisEraMemoryOptions = {
  /** `redis://[user]:password@host:port/db`. Never shown: it holds the password. */
  readonly url: string;
  /** Longest wait for a connection, and for the answer to one command. */
  readonly timeoutMs?: number;
  /** Begins every key; tests use one of their own. */
  readonly keyPrefix?: string;
  /** Told when Redis begins to fail, once until it works again. */
  readonly onTrouble?: (message: string) => void;
};

/** Images come and go; what nobody started for so long is asked anew, which costs two short-lived containers. */
const KEPT_SECONDS = 90 * 24 * 3600;

/**
 * Which eras programs speak, over restarts of the orchestrator. Fulfils the port `EraMemory` of lifecycle: what was
 * found is known in memory at once, and reaches Redis as soon as Redis takes it.
 */
export class RedisEraMemory {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #onTrouble: (message: string) => void;
  readonly #known = new Map<string, EraVerdict>();
  readonly #unsaved = new Set<string>();
  #isFailing = false;

  constructor({ url, timeoutMs, keyPrefix, onTrouble }: RedisEraMemoryOptions) {
    this.#redis = new RedisConnection(url, timeoutMs);
    this.#prefix = keyPrefix ?? 'gantry:era:';
    this.#onTrouble = onTrouble ?? (() => {});
  }

  async get(key: string): Promise<EraVerdict | null> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      void this.#save();
      return known;
    }
    const text = await this.#run((redis) => redis.get(this.#prefix + key));
    const stored = text === null ? null : readVerdict(text);
    if (stored !== null) this.#known.set(key, stored);
    return stored;
  }

  async put(key: string, verdict: EraVerdict): Promise<void> {
    this.#known.set(key, verdict);
    this.#unsaved.add(key);
    await this.#save();
  }

  async close(): Promise<void> {
    await this.#save();
    await this.#redis.close();
  }

  async #save(): Promise<void> {
    for (const key of this.#unsaved) {
      const text = JSON.stringify(this.#known.get(key));
      const saved = await this.#run((redis) => redis.set(this.#prefix + key, text, 'EX', KEPT_SECONDS));
      if (saved === null) return; // the next one would fail as well
      this.#unsaved.delete(key);
    }
  }

  /** Null where Redis fails. */
  async #run<T>(command: (redis: Redis) => Promise<T>): Promise<T | null> {
    try {
      const result = await this.#redis.run(command);
      this.#isFailing = false;
      return result;
    } catch (error) {
      if (!this.#isFailing) {
        this.#isFailing = true;
        this.#onTrouble(
          `Redis does not keep which eras servers speak (${messageOf(error)}); memory does meanwhile.`,
        );
      }
      return null;
    }
  }
}

/** Null for what is no verdict: it is found out again, and replaced. */
function readVerdict(text: string): EraVerdict | null {
  try {
    const { era, mixed } = JSON.parse(text) as Partial<EraVerdict>;
    const isEra = era === 'legacy' || era === 'modern' || era === 'both';
    return isEra && typeof mixed === 'boolean' ? { era, mixed } : null;
  } catch {
    return null;
  }
}
