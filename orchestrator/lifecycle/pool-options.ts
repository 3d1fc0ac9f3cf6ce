import type { Clock, Facts, Reason, ServerSpec } from '../kernel/index.ts';
import type { EngineUp } from './engine-watch.ts';
import type { EraMemory } from './eras/era-memory.ts';
import type { Gate } from './gate.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import type { MeshMemory } from './mesh-memory.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { Starts } from './starter.ts';

export type PoolOptions = {
  readonly spec: ServerSpec;
  readonly prepareImage: (spec: ServerSpec) => Promise<PreparedImage>;
  readonly eraMemory: EraMemory;
  readonly starter: Starts;
  readonly standingGate: Gate;
  readonly sessionGate: Gate;
  readonly engineWatch: EngineUp;
  readonly engine: ReplicaHost;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
  readonly memory: MeshMemory;
  /** Calls that wait for a replica of a server. */
  readonly queued: (server: string) => number;
  /** Whether a stream or a subscription wants to hear of a server's standing replicas. */
  readonly inUse: (server: string) => boolean;
  /** From 1, counted up with every definition that needs other containers: ids of replicas stay unique. */
  readonly revision: number;
  /** Whether this is the pool that users see; others of the same server come up or end. */
  readonly isShown: () => boolean;
  /** What keeps it from being started, or null. */
  readonly obstacle: () => Reason | null;
  /** Told of every change in a place or a session. */
  readonly onChange: () => void;
};
