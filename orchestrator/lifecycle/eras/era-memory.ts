import type { EraVerdict } from '../../kernel/index.ts';

/**
 * Which eras programs were found to speak. Adapters: `MemoryEraMemory` and its twin in Redis (`registry`); one contract
 * suite runs against both (`test/contracts/era-memory.ts`). Neither ever rejects: a verdict that cannot be had is found
 * out again, and one that cannot be stored is remembered until it can.
 */
export type EraMemory = {
  /** Null where nothing is known. */
  get(key: string): Promise<EraVerdict | null>;
  /** The verdict that counts from now on. */
  put(key: string, verdict: EraVerdict): Promise<void>;
};

/** Remembers as long as the process lives. */
export class MemoryEraMemory implements EraMemory {
  readonly #known = new Map<string, EraVerdict>();

  async get(key: string): Promise<EraVerdict | null> {
    return this.#known.get(key) ?? null;
  }

  async put(key: string, verdict: EraVerdict): Promise<void> {
    this.#known.set(key, verdict);
  }
}
