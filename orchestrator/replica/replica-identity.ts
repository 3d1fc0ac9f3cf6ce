import type { Channel } from '../channel/index.ts';
import type { Clock, Facts } from '../kernel/index.ts';
import type { CallBreaker } from './counted.ts';

/** Who a replica is. The same values stand in its container's labels. */
export type ReplicaIdentity = {
  readonly server: string;
  /** `everything-1` in a pool, `everything-s-1a2b3c4d` for a session. Unique in the mesh. */
  readonly id: string;
  readonly generation: number;
  readonly containerId: string;
  readonly heldBy: 'pool' | 'session';
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
};
