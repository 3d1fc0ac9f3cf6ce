import type { Channel, LinkOptions, SentCall } from '../channel/index.ts';
import type { Clock, Facts } from '../kernel/index.ts';
import type { CallBreaker } from './counted.ts';

/** Who a replica is. Id, server and generation stand in its container's labels too, and stay. */
export type ReplicaIdentity = {
  readonly server: string;
  /**
   * `everything-1` in a pool, `everything-s-1a2b3c4d` for a session and for a spare, which keeps it wherever it is
   * handed to. Unique in the mesh.
   */
  readonly id: string;
  readonly generation: number;
  readonly containerId: string;
  readonly heldBy: Holder;
  /** How often this place in the pool was filled before. */
  readonly restarts: number;
  readonly startedAt: string;
};

export type ReplicaOptions = {
  readonly identity: ReplicaIdentity;
  readonly channel: Channel;
  readonly facts: Facts;
  readonly clock: Clock;
  readonly breaker: CallBreaker;
  /** For a process that outlives this one: see `LinkOptions`. */
  readonly lasting?: Pick<LinkOptions, 'idsAbove' | 'memory'>;
};

/** A call that an earlier owner of a process sent there. */
export type ResumedCall = {
  readonly sent: SentCall;
  readonly method: string;
  /** The caller's progress token; absent where there was none. */
  readonly token?: unknown;
};

/** A spare is held by the pool until somebody gets it. */
export type Holder = 'pool' | 'session' | 'spare';

/** As views show it: a spare is one of the pool's. */
export function shownIdentity({ id, containerId, heldBy }: ReplicaIdentity) {
  return {
    id,
    containerId,
    heldBy: heldBy === 'session' ? ('session' as const) : ('pool' as const),
    spare: heldBy === 'spare',
  };
}
