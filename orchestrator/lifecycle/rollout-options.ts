import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import type { ServerPool } from './server-pool.ts';

export type RolloutOptions = {
  readonly from: ServerPool;
  /** What the server shall be. */
  readonly spec: ServerSpec;
  readonly mode: 'beside' | 'stop_first';
  /** Makes sure that the image is there, before anything is stopped for it. */
  readonly prepare: (spec: ServerSpec) => Promise<unknown>;
  /** Begins the replicas that take over; whatever happens to them is to be told by `heard`. */
  readonly make: (spec: ServerSpec) => ServerPool;
  /** New traffic goes to this pool from now on. */
  readonly serve: (pool: ServerPool) => void;
  readonly clock: Clock;
  readonly facts: Facts;
};
