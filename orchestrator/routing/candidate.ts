import type { Clock } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { PeakLatency } from './peak-latency.ts';
import type { Choice } from './strategies/index.ts';

/** One replica of a pool as the balancer knows it: what it was given, and what that took. */
export class Candidate implements Choice {
  readonly replica: Replica;
  /** When it was first seen ready, milliseconds. */
  readonly since: number;
  /** Its share, set anew for every pick. */
  weight = 1;
  readonly #clock: Clock;
  readonly #latency = new PeakLatency();
  #leases = 0;

  constructor(replica: Replica, clock: Clock) {
    this.replica = replica;
    this.#clock = clock;
    this.since = clock.now();
  }

  get id(): string {
    return this.replica.identity.id;
  }

  /** Its number in the pool, as `balance.weights` names it; empty where it has none. */
  get number(): string {
    return /-(\d+)$/.exec(this.id)?.[1] ?? '';
  }

  /** Calls it was given that are not over. Counted from the pick on: two picks in one turn see each other. */
  get leases(): number {
    return this.#leases;
  }

  /** Probes and lists are work too, but were not given by the balancer. */
  get callsInFlight(): number {
    return Math.max(this.#leases, this.replica.callsInFlight);
  }

  get latencyMs(): number | null {
    return this.#latency.at(this.#clock.now());
  }

  /** @returns what ends the lease; `answered` says that its time tells how quick the replica is. */
  take(): (answered: boolean) => void {
    const from = this.#clock.now();
    this.#leases++;
    return (answered) => {
      this.#leases--;
      const now = this.#clock.now();
      if (answered) this.#latency.observe(now - from, now);
    };
  }
}
