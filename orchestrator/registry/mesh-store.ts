/** A JSON value. What was stored by another version may have another shape: whoever reads it checks it. */
export type Json = unknown;

/**
 * What stays until it is removed. The last two are what the next start of the orchestrator takes over: replicas whose
 * process outlives this one, and sessions.
 */
export type KeptKind =
  | 'intents'
  | 'offers'
  | 'registrations'
  | 'tuning'
  | WrittenBehind
  | 'takeover_replicas'
  | 'takeover_sessions';

/** Of these, what the mesh has seen of itself. */
export type WrittenBehind = 'tools' | 'breakers';

/** What is true as long as somebody says so. */
export type HeldKind = 'replicas' | 'sessions' | 'services';

/** What one write changes: both at once, or nothing. */
export type Change = { readonly put: ReadonlyMap<string, Json>; readonly remove: readonly string[] };

/**
 * What the mesh remembers of itself beside the servers that it was given: records by kind and key. Adapters:
 * `redis-mesh-store` and its twin `memory-mesh-store`; one contract suite runs against both
 * (`test/contracts/mesh-store.ts`).
 *
 * Kept records outlive everybody. Held ones belong to a holder (one start of an orchestrator) and live under one
 * lease for all of a kind: a holder that dies without a word takes them with it when the lease runs out, and two
 * holders never write into each other's records.
 *
 * Every method rejects with `GantryError('registry_unavailable')` when the store does not answer.
 */
export type MeshStore = {
  kept(kind: KeptKind): Promise<ReadonlyMap<string, Json>>;
  keep(kind: KeptKind, change: Change): Promise<void>;
  /** Who holds records of a kind now, and which. */
  held(kind: HeldKind): Promise<ReadonlyMap<string, ReadonlyMap<string, Json>>>;
  /**
   * Changes a holder's records and makes the lease last `leaseMs` from now.
   * @returns false when there had been none before: then whatever was written earlier is gone.
   */
  hold(kind: HeldKind, holder: string, change: Change, leaseMs: number): Promise<boolean>;
  /** A polite end: the holder's records of every kind go at once. */
  letGo(holder: string): Promise<void>;
};

export const WRITTEN_BEHIND: readonly WrittenBehind[] = ['tools', 'breakers'];
export const HELD_KINDS: readonly HeldKind[] = ['replicas', 'sessions', 'services'];
