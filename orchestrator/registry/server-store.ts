/**
 * What outlives the orchestrator: servers made over the API, and versions that were resolved once. Adapters:
 * `redis-server-store` and its twin `memory-server-store`. One contract suite runs against both
 * (`test/contracts/server-store.ts`).
 *
 * Every method rejects with `GantryError('registry_unavailable')` when the store does not answer, and does so
 * soon: a caller never waits for a reconnect.
 */
export type ServerStore = {
  /** Oldest first; servers of the same millisecond by name. */
  list(): Promise<readonly StoredServer[]>;
  /** Makes or replaces the entry of a server; `createdAt` stays that of the first time. */
  put(name: string, entry: StoredEntry): Promise<StoredServer>;
  /** @returns whether there was one. */
  delete(name: string): Promise<boolean>;
  /** The exact version that was resolved for a key such as `npm:@scope/name`, or null. */
  getResolved(key: string): Promise<string | null>;
  /**
   * Pins a resolved version. The first one wins: two who resolve at once end up with the same version.
   * @returns the version that is pinned now.
   */
  putResolved(key: string, version: string): Promise<string>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** Every later call rejects. Fine to call twice. */
  close(): Promise<void>;
};

/** The raw entry as a user wrote it: it is checked anew when it is read, since rules may have changed. */
export type StoredEntry = Readonly<Record<string, unknown>>;

export type StoredServer = {
  readonly name: string;
  readonly entry: StoredEntry;
  /** ISO time. */
  readonly createdAt: string;
};

/** The order of `list()`, the same in every adapter. */
export function byAge(a: StoredServer, b: StoredServer): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
