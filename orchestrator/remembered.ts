import { type Offers, readOffers, type ServerSpec } from './kernel/index.ts';
import type { MeshMemory, ServerHistory } from './lifecycle/index.ts';
import {
  Intents,
  type Json,
  LearnedOffers,
  type MeshStore,
  reached,
  WRITTEN_BEHIND,
} from './registry/index.ts';
import { storedHistory } from './stored-history.ts';

/** What earlier starts of the orchestrator left in the registry. */
export class Remembered implements MeshMemory {
  readonly intents: Intents;
  /** What servers offer to others than Gantry itself. */
  readonly learned: LearnedOffers;
  readonly #store: MeshStore;
  #tools: ReadonlyMap<string, Json> = new Map();
  #breakers: ReadonlyMap<string, Json> = new Map();
  /** Servers whose history was asked for: from then on their pools know better. */
  readonly #begun = new Set<string>();
  /** Of its own: intents are read earlier where somebody asks for something first, and that is not all there is. */
  #wasRead = false;

  constructor(store: MeshStore, onTrouble: (message: string) => void) {
    this.#store = store;
    this.intents = new Intents(store);
    this.learned = new LearnedOffers(store, onTrouble);
  }

  /**
   * Reads it, where that has not worked yet.
   * @returns whether it worked now; false too where it was read before, or the store does not answer
   */
  async load(): Promise<boolean> {
    if (this.#wasRead) return false;
    return reached(async () => {
      this.#tools = await this.#store.kept('tools');
      this.#breakers = await this.#store.kept('breakers');
      await this.learned.load();
      await this.intents.load();
      this.#wasRead = true;
    });
  }

  stopped(server: string): boolean {
    return this.intents.stopped(server);
  }

  replicas(server: string, configured: number): number {
    return this.intents.replicas(server, configured);
  }

  offers(server: string, made: string): Offers | null {
    const known = this.#tools.get(server) as { made?: unknown } | null | undefined;
    return known?.made === made ? readOffers(known) : null;
  }

  history(server: string, made: string): ServerHistory | null {
    const record = this.#begun.has(server) ? null : this.#breakers.get(server);
    this.#begun.add(server);
    return storedHistory(record, made);
  }

  /** Forgets servers that are gone. What cannot be forgotten now is forgotten at the next change of the list. */
  async keepOnly(specs: readonly ServerSpec[]): Promise<void> {
    const names = new Set(specs.map(({ name }) => name));
    await reached(async () => {
      this.learned.keepOnly(names);
      await this.intents.keepOnly(names);
      for (const kind of WRITTEN_BEHIND) {
        const remove = [...(await this.#store.kept(kind)).keys()].filter((name) => !names.has(name));
        if (remove.length > 0) await this.#store.keep(kind, { put: new Map(), remove });
      }
    });
  }
}
