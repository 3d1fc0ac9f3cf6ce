import type { ContainerExit, ContainerFacts } from '../engine/index.ts';
import type { Clock, Facts, Reason } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { ReplicaHost } from './replica-host.ts';

/** How a process ended: `reason` is null when that was wished. */
export type Ending = { readonly reason: Reason | null; readonly exit: ContainerExit | null };

export type RunningOptions = {
  readonly replica: Replica;
  /** As inspected before the start. */
  readonly facts: ContainerFacts;
  readonly engine: ReplicaHost;
  readonly clock: Clock;
  readonly stated: Facts;
  readonly onEngineError: (error: unknown) => void;
  /** The container is gone, or handed to the reconciler. */
  readonly onRemoved: () => void;
};
