import type { ContainerFacts, Engine } from '../engine/index.ts';
import { type Clock, type Facts, messageOf, type ServerSpec } from '../kernel/index.ts';
import type { CallBreaker, Replica } from '../replica/index.ts';
import type { Candidate } from './candidate.ts';
import type { ContainerTable } from './container-table.ts';
import { CHANNEL_LABEL } from './labels.ts';
import type { ReplicaKeeper } from './replica-keeper.ts';
import { type ReplicaRecord, readReplicaRecord } from './replica-record.ts';
import type { Running } from './running.ts';
import { heardContainer, heardKey, type TakeoverOptions } from './takeover-options.ts';

/** A standing replica that no place has asked for by then is not needed: its server was stopped, or made smaller. */
const UNCLAIMED_MS = 60_000;

/** What is asked of the pool that serves. */
export type TakingPool = {
  readonly spec: ServerSpec;
  readonly isStopped: boolean;
  /** Goes on with replicas of sessions. */
  readonly lasting: { goOn(candidate: Candidate): void };
};

export type TakeoverParts = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly table: ContainerTable;
  readonly keeper: ReplicaKeeper;
  /** `Starter.reopen` */
  readonly reopen: (candidate: Candidate, breaker: CallBreaker) => Promise<Running>;
  readonly left?: TakeoverOptions | null;
};

/**
 * What an earlier start of the orchestrator left running. Decided once, as soon as the engine answers and before anything
 * is started: what is still wanted is held until its place or its session takes it; everything else is a leftover.
 */
export class Takeover {
  readonly #parts: TakeoverParts;
  /** As the book had them, by replica. */
  readonly #left = new Map<string, { readonly containerId: string; readonly record: ReplicaRecord }>();
  readonly #candidates = new Map<string, Candidate>();
  readonly #awaited = new Map<string, PromiseWithResolvers<Replica | null>>();
  #isDecided = false;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
    for (const [containerId, value] of parts.left?.left ?? []) {
      const record = readReplicaRecord(value);
      if (record === null) parts.keeper.forget(containerId);
      else this.#left.set(record.id, { containerId, record });
    }
    for (const key of parts.left?.notes.keys() ?? []) {
      const containerId = heardContainer(key);
      if (containerId !== null && !parts.left?.left.has(containerId)) parts.keeper.forget(containerId);
    }
  }

  /** With which revision the first pool of a server begins: replicas are called by it. */
  revisionOf(server: string): number {
    const revisions = [...this.#left.values()]
      .filter(({ record }) => record.server === server)
      .map(({ record }) => record.revision);
    return Math.max(1, ...revisions);
  }

  /** `Pools.adopted` */
  adopted(server: string, replicaId: string): Promise<Replica | null> {
    if (this.#left.get(replicaId)?.record.server !== server) return Promise.resolve(null);
    const known = this.#awaited.get(replicaId);
    if (known !== undefined) return known.promise;
    if (this.#isDecided && !this.#candidates.has(replicaId)) return Promise.resolve(null);
    const awaited = Promise.withResolvers<Replica | null>();
    this.#awaited.set(replicaId, awaited);
    return awaited.promise;
  }

  /** The engine answers for the first time. @param poolOf the pool that serves, or null */
  decide(listed: readonly ContainerFacts[], poolOf: (server: string) => TakingPool | null): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    const byId = new Map(listed.map((facts) => [facts.id, facts]));
    for (const [id, { containerId, record }] of this.#left) {
      const facts = byId.get(containerId);
      const pool = poolOf(record.server);
      if (facts === undefined || pool === null || !this.#isWanted(facts, record, pool)) {
        this.found(id, null);
        this.#parts.keeper.forget(containerId);
        continue;
      }
      const heardTo = this.#parts.left?.notes.get(heardKey(containerId));
      this.#parts.table.hold(containerId, null);
      this.#candidates.set(id, { facts, record, heardTo: typeof heardTo === 'number' ? heardTo : null });
    }
    for (const [id, { record }] of [...this.#candidates]) {
      const candidate = record.heldBy === 'session' ? this.take(id) : null;
      if (candidate !== null) poolOf(record.server)?.lasting.goOn(candidate);
    }
    this.#parts.clock.after(UNCLAIMED_MS, () => {
      for (const candidate of [...this.#candidates.values()]) void this.discard(candidate);
      this.#candidates.clear();
    });
  }

  /** The container of that replica, for whoever has its place. */
  take(replicaId: string): Candidate | null {
    const candidate = this.#candidates.get(replicaId) ?? null;
    this.#candidates.delete(replicaId);
    return candidate;
  }

  /** Goes on with it, with a channel and a replica of this process. Throws as `Starter.reopen`. */
  reopen(candidate: Candidate, breaker: CallBreaker): Promise<Running> {
    return this.#parts.reopen(candidate, breaker);
  }

  /** Tells who waits for it: null where it is not to be had. */
  found(replicaId: string, replica: Replica | null): void {
    this.#awaited.get(replicaId)?.resolve(replica);
  }

  /** Nobody wants it: it goes. Never rejects. */
  async discard({ facts, record }: Candidate): Promise<void> {
    const { engine, table, keeper, facts: stated } = this.#parts;
    this.found(record.id, null);
    keeper.forget(facts.id);
    try {
      await engine.remove(facts.id);
      stated.state({ type: 'container.removed', containerId: facts.id, why: 'left by an earlier start' });
    } catch (error) {
      stated.state({ type: 'trouble', where: `container of ${record.id}`, message: messageOf(error) });
    }
    table.drop(facts.id); // what could not be removed now, the reconciler finds
  }

  #isWanted({ state, labels }: ContainerFacts, record: ReplicaRecord, pool: TakingPool): boolean {
    const runs = state === 'running' || state === 'paused';
    if (!runs || labels[CHANNEL_LABEL] !== 'socket' || pool.isStopped) return false;
    if (record.seal !== this.#parts.keeper.sealOf(pool.spec)) return false;
    return record.heldBy === 'pool' || this.#awaited.has(record.id);
  }
}
