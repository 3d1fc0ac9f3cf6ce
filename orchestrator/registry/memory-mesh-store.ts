import { type Clock, systemClock } from '../kernel/index.ts';
import type { Change, HeldKind, Json, KeptKind, MeshStore } from './mesh-store.ts';

type Lease = { readonly records: Map<string, string>; until: number };

/** The twin of the Redis store: nothing outlives the process. */
export class MemoryMeshStore implements MeshStore {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kept = new Map<KeptKind, Map<string, string>>();
  readonly #held = new Map<HeldKind, Map<string, Lease>>();

  constructor(options: { clock?: Pick<Clock, 'now'> } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  async kept(kind: KeptKind): Promise<ReadonlyMap<string, Json>> {
    return parsed(this.#kept.get(kind) ?? new Map());
  }

  async keep(kind: KeptKind, change: Change): Promise<void> {
    const records = this.#kept.get(kind) ?? new Map<string, string>();
    this.#kept.set(kind, records);
    apply(records, change);
  }

  async held(kind: HeldKind): Promise<ReadonlyMap<string, ReadonlyMap<string, Json>>> {
    const living = [...this.#leases(kind)].filter(([, { records }]) => records.size > 0);
    return new Map(living.map(([holder, { records }]) => [holder, parsed(records)]));
  }

  async hold(kind: HeldKind, holder: string, change: Change, leaseMs: number): Promise<boolean> {
    const leases = this.#leases(kind);
    const before = leases.get(holder);
    const lease = before ?? { records: new Map<string, string>(), until: 0 };
    lease.until = this.#clock.now() + leaseMs;
    apply(lease.records, change);
    leases.set(holder, lease);
    return before !== undefined && before.records.size > 0;
  }

  async letGo(holder: string): Promise<void> {
    for (const leases of this.#held.values()) leases.delete(holder);
  }

  /** Those that have not run out. */
  #leases(kind: HeldKind): Map<string, Lease> {
    const leases = this.#held.get(kind) ?? new Map<string, Lease>();
    this.#held.set(kind, leases);
    for (const [holder, { until }] of leases) if (until <= this.#clock.now()) leases.delete(holder);
    return leases;
  }
}

/** As text, like Redis: what callers change afterwards must not change what is stored. */
function apply(records: Map<string, string>, { put, remove }: Change): void {
  for (const [key, value] of put) records.set(key, JSON.stringify(value));
  for (const key of remove) records.delete(key);
}

function parsed(records: ReadonlyMap<string, string>): Map<string, Json> {
  return new Map([...records].map(([key, text]) => [key, JSON.parse(text) as Json]));
}
