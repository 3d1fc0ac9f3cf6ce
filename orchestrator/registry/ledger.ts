import { type Clock, messageOf } from '../kernel/index.ts';
import type { Json, KeptKind, MeshStore } from './mesh-store.ts';

/** A store that was away is tried again so soon. */
const RETRY_MS = 1000;

export type LedgerOptions = {
  readonly store: MeshStore;
  readonly kind: KeptKind;
  readonly clock: Clock;
  /** Told when the store takes nothing, once until it works again. */
  readonly onTrouble: (message: string) => void;
};

/**
 * Records of one kind, for whoever has to know that one was written before it goes on. What comes in one turn leaves
 * together, in order. While the store is away nobody waits: what is missing there is written as soon as it is back.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  /** By key; null takes the record away. */
  #pending = new Map<string, Json>();
  #waiting: ((isWritten: boolean) => void)[] = [];
  #work: Promise<void> | null = null;
  #isFailing = false;
  #closed = false;
  #cancelPause = (): void => {};

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** @returns whether it is written; where it is not, it is going to be. Never rejects. */
  put(key: string, record: Json): Promise<boolean> {
    this.#pending.set(key, record);
    this.#begin();
    if (this.#isFailing || this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  remove(key: string): void {
    this.#pending.set(key, null);
    this.#begin();
  }

  /** After the writes under way; what a store that is away has not taken is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPause();
    await this.#work;
  }

  #begin(): void {
    if (this.#closed) return;
    // In a turn of its own, so that what comes in this one goes along.
    this.#work ??= Promise.resolve().then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { store, kind, onTrouble } = this.#options;
    while (this.#pending.size > 0) {
      const batch = this.#pending;
      const waiting = this.#waiting;
      this.#pending = new Map();
      this.#waiting = [];
      const entries = [...batch];
      try {
        const remove = entries.filter(([, record]) => record === null).map(([key]) => key);
        await store.keep(kind, { put: new Map(entries.filter(([, record]) => record !== null)), remove });
        this.#isFailing = false;
        for (const settle of waiting) settle(true);
      } catch (error) {
        if (!this.#isFailing)
          onTrouble(`Not written until the registry answers (${kind}): ${messageOf(error)}`);
        this.#isFailing = true;
        this.#pending = new Map([...batch, ...this.#pending]); // what came meanwhile is newer
        for (const settle of [...waiting, ...this.#waiting.splice(0)]) settle(false);
        if (this.#closed) return;
        await this.#pause();
      }
    }
    this.#work = null; // in the turn in which nothing is pending: what comes later begins anew
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#options.clock.after(RETRY_MS, resolve);
      this.#cancelPause = () => {
        stop();
        resolve();
      };
    });
  }
}
