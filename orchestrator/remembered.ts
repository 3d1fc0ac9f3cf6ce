import { GantryError, type Offers, readOffers, type ServerSpec } from './kernel/index.ts';
import type { MeshMemory } from './lifecycle/index.ts';
import { Intents, type Json, LearnedOffers, type MeshStore } from './registry/index.ts';

/** What earlier starts of the orchestrator left in the registry. */
export class Remembered implements MeshMemory {
  readonly intents: Intents;
  /** What servers offer to others than Gantry itself. */
  readonly learned: LearnedOffers;
  readonly #store: MeshStore;
  #tools: ReadonlyMap<string, Json> = new Map();

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
    if (this.intents.wasRead) return false;
    try {
      this.#tools = await this.#store.kept('tools');
      await this.learned.load();
      await this.intents.load();
      return true;
    } catch (error) {
      if (error instanceof GantryError && error.code === 'registry_unavailable') return false;
      throw error;
    }
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

  /** Forgets servers that are gone. What cannot be forgotten now is forgotten at the next change of the list. */
  async keepOnly(specs: readonly ServerSpec[]): Promise<void> {
    const names = new Set(specs.map(({ name }) => name));
    try {
      this.learned.keepOnly(names);
      await this.intents.keepOnly(names);
      const gone = [...this.#tools.keys()].filter((name) => !names.has(name));
      if (gone.length > 0) await this.#store.keep('tools', { put: new Map(), remove: gone });
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'registry_unavailable')) throw error;
    }
  }
}
