import { createHmac } from 'node:crypto';
import type { ServerSpec } from '../kernel/index.ts';
import type { Memory, Replica } from '../replica/index.ts';
import type { ReplicaRecord } from './replica-record.ts';
import { sealedPart } from './spec-diff.ts';
import { heardKey, type TakeoverOptions } from './takeover-options.ts';

/** What a pool says of a replica that it wants to have again. */
export type Keeping = {
  readonly spec: ServerSpec;
  readonly revision: number;
  readonly claimedBy: string | null;
};

/** Keeps the book of replicas whose processes outlive this one, for the next start of the orchestrator. */
export class ReplicaKeeper {
  readonly #options: TakeoverOptions | null;
  readonly #records = new Map<string, ReplicaRecord>();
  #isLeaving = false;

  /** @param options null where nobody takes over */
  constructor(options: TakeoverOptions | null) {
    this.#options = options;
  }

  /** A definition as it stands in records: equal for equal containers, secrets among their variables included. */
  sealOf(spec: ServerSpec): string {
    return createHmac('sha256', this.#options?.key ?? '')
      .update(sealedPart(spec))
      .digest('base64url');
  }

  /**
   * From now on the next start finds it. One that ends with its channel, or was never greeted, is not kept. Resolves when
   * it is written down, or the store does not answer.
   */
  async keep(
    { identity, channel, handshake }: Replica,
    { spec, revision, claimedBy }: Keeping,
  ): Promise<void> {
    const { heldBy, containerId, server, id, generation, restarts, startedAt } = identity;
    if (this.#options === null || channel.kind !== 'socket' || handshake === null || heldBy === 'spare')
      return;
    const takeovers = this.#records.get(containerId)?.takeovers ?? 0;
    const seal = this.sealOf(spec);
    const who = { server, id, generation, heldBy, restarts, startedAt };
    await this.#put(containerId, { ...who, claimedBy, seal, revision, handshake, takeovers });
  }

  /** It is this process's now. @returns whether that is written: else another start could use the same ids again */
  async takenOver(containerId: string, record: ReplicaRecord): Promise<boolean> {
    return await this.#put(containerId, { ...record, takeovers: record.takeovers + 1 });
  }

  /** How far the process of a container was heard is written down together with what that led to. */
  memoryOf(containerId: string): Memory | null {
    if (this.#options === null) return null;
    const { log } = this.#options;
    return {
      get unwritten() {
        return log.unwritten;
      },
      accompany: (add) => log.accompany(add),
      heard: (end) => log.note(heardKey(containerId), end),
    };
  }

  /** A process begins in a container that had one before: what it says is counted from the beginning. */
  beginsAnew(containerId: string): void {
    this.#options?.log.note(heardKey(containerId), null);
  }

  /** Its container is gone, or nobody wants it. */
  forget(containerId: string): void {
    this.#records.delete(containerId);
    this.#options?.book.remove(containerId);
    this.#options?.log.note(heardKey(containerId), null);
  }

  /** This process ends: what is kept stays behind. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Whether its process is left to the next start instead of being ended. */
  leaves(containerId: string): boolean {
    return this.#isLeaving && this.#records.has(containerId);
  }

  async #put(containerId: string, record: ReplicaRecord): Promise<boolean> {
    this.#records.set(containerId, record);
    return (await this.#options?.book.put(containerId, record)) ?? false;
  }
}
