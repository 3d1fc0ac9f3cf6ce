import { RetryBudget } from '../resilience/index.ts';
import { FreshPlaces } from './fresh-places.ts';
import { SharedPool, type SharedPoolOptions } from './shared-pool.ts';

/** What is kept of one server between its calls. */
export type Balancer = {
  readonly pool: SharedPool;
  readonly fresh: FreshPlaces;
  readonly budget: RetryBudget;
};

/** The balancers of all servers, made when they are first needed and forgotten with their server. */
export class Balancers {
  readonly #options: Omit<SharedPoolOptions, 'server'>;
  readonly #byServer = new Map<string, Balancer>();

  constructor(options: Omit<SharedPoolOptions, 'server'>) {
    this.#options = options;
  }

  of(server: string): Balancer {
    const known = this.#byServer.get(server);
    if (known !== undefined) return known;
    const { pools, clock } = this.#options;
    for (const other of this.#byServer.keys()) if (pools.spec(other) === null) this.#byServer.delete(other);
    const made = {
      pool: new SharedPool({ ...this.#options, server }),
      fresh: new FreshPlaces({ ...this.#options, server, spec: () => pools.spec(server) }),
      budget: new RetryBudget(clock),
    };
    this.#byServer.set(server, made);
    return made;
  }

  /** Something of its replicas has changed: calls that wait may be served. */
  look(server: string): void {
    this.#byServer.get(server)?.pool.look();
  }

  /** Calls of a server that wait for a replica. */
  queued(server: string): number {
    const known = this.#byServer.get(server);
    return known === undefined ? 0 : known.pool.queued + known.fresh.queued;
  }
}
