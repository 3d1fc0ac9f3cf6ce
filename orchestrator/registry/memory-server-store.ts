import { type Clock, GantryError, systemClock } from '../kernel/index.ts';
import { byAge, type ServerStore, type StoredEntry, type StoredServer } from './server-store.ts';

/** The twin of the Redis store for tests and trials: nothing outlives the process. */
export class MemoryServerStore implements ServerStore {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #servers = new Map<string, { readonly json: string; readonly createdAt: string }>();
  readonly #resolved = new Map<string, string>();
  #closed = false;

  constructor(options: { clock?: Pick<Clock, 'now'> } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  async list(): Promise<readonly StoredServer[]> {
    this.#check();
    return [...this.#servers]
      .map(([name, { json, createdAt }]) => ({ name, entry: JSON.parse(json) as StoredEntry, createdAt }))
      .sort(byAge);
  }

  async put(name: string, entry: StoredEntry): Promise<StoredServer> {
    this.#check();
    const createdAt = this.#servers.get(name)?.createdAt ?? new Date(this.#clock.now()).toISOString();
    // As text, like Redis: what callers change afterwards must not change what is stored.
    this.#servers.set(name, { json: JSON.stringify(entry), createdAt });
    return { name, entry, createdAt };
  }

  async delete(name: string): Promise<boolean> {
    this.#check();
    return this.#servers.delete(name);
  }

  async getResolved(key: string): Promise<string | null> {
    this.#check();
    return this.#resolved.get(key) ?? null;
  }

  async putResolved(key: string, version: string): Promise<string> {
    this.#check();
    const pinned = this.#resolved.get(key) ?? version;
    this.#resolved.set(key, pinned);
    return pinned;
  }

  async ping(): Promise<void> {
    this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed) throw new GantryError('registry_unavailable', 'The registry is closed.');
  }
}
