import type { Signal } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { Owner } from './fair-queue.ts';

/** A replica for one call. `done` is called when the call is over, however it ended; a second time it does nothing. */
export type Lease = {
  readonly replica: Replica;
  /** @param answered whether the time since the lease tells how quick the replica is: it answered, or took too long. */
  readonly done: (answered?: boolean) => void;
};

export type LeaseRequest = {
  readonly owner: Owner;
  /** Withdraws the request while it waits. */
  readonly signal: Signal | undefined;
  /** Replicas that have just failed this call: others are better. */
  readonly avoid: ReadonlySet<Replica>;
  /** Whether to wait also when no replica is ready now: one that has died is being replaced. */
  readonly patient: boolean;
};
