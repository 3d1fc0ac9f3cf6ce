import type { Engine } from '../engine/index.ts';
import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import type { SocketChannels } from './channel-maker.ts';
import type { EraMemory } from './eras/era-memory.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { type MeshMemory, NO_MEMORY } from './mesh-memory.ts';
import type { Reach } from './remote/remote-starter.ts';

export type MeshOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  /** Whose containers: label `gantry.owner`, stable over restarts. */
  readonly owner: string;
  /** Label `gantry.epoch`, new with every start of the process. */
  readonly epoch: string;
  /** A longer line on a server's stdout fails its replica. */
  readonly maxLineBytes: number;
  /** Null or absent where nothing is shared with the engine: then every channel is an attach channel. */
  readonly sockets?: SocketChannels | null;
  /** Makes sure that a server's image is on the engine (`Images.prepare`). */
  readonly prepareImage: (spec: ServerSpec) => Promise<PreparedImage>;
  /** Resolves and checks the address of a server elsewhere; absent: none may be reached. */
  readonly reach?: Reach;
  /** Which eras programs were found to speak. */
  readonly eras: EraMemory;
  /** 0 up to 1, without 1: spreads restarts. */
  readonly random: () => number;
  /** Where clients reach a server. */
  readonly urlOf: (spec: ServerSpec) => string;
  readonly memory?: MeshMemory;
  /** The memory limits that may run together; null or absent: worked out from the engine's memory. */
  readonly memoryBudgetBytes?: number | null;
  /** What the engine's own container may use, where that is less than the engine says. */
  readonly engineMemoryBytes?: number;
  /** Calls that wait for a replica of a server; none where nobody queues. */
  readonly queued?: (server: string) => number;
  /** Whether a stream or a subscription wants to hear of a server's standing replicas: then they are not put to rest. */
  readonly inUse?: (server: string) => boolean;
  /** Told of every change in the replicas of a server: one may take calls from now on. */
  readonly onChange?: (server: string) => void;
  /** Why a server that others may depend on is configured and not run; null for all others. */
  readonly disabled?: (server: string) => string | null;
};

/** Where nobody remembers, queues or listens. */
export const ALONE = {
  memory: NO_MEMORY,
  queued: () => 0,
  inUse: () => false,
  onChange: () => {},
  disabled: () => null,
};
