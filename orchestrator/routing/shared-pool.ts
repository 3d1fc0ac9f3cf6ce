import type { Balance, Clock, Facts } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { Candidate } from './candidate.ts';
import type { Lease, LeaseRequest } from './lease.ts';
import type { Pools } from './pools.ts';
import { callerLeft, noReplica, serverNotFound } from './refusals.ts';
import { slowStartShare } from './slow-start.ts';
import { type Strategy, strategyOf } from './strategies/index.ts';
import { WaitingLine } from './waiting-line.ts';

export type SharedPoolOptions = {
  readonly server: string;
  readonly pools: Pools;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
};

/**
 * The balancer of one server: gives each call the replica that its strategy picks, or lets it wait while all of them
 * have as many as they may. The configuration is read anew for every pick, so that a change holds at once.
 */
export class SharedPool {
  readonly #options: SharedPoolOptions;
  readonly #candidates = new WeakMap<Replica, Candidate>();
  readonly #line: WaitingLine<LeaseRequest, Lease>;
  #strategy: { readonly name: Balance['strategy']; readonly picks: Strategy<Candidate> } | null = null;

  constructor(options: SharedPoolOptions) {
    this.#options = options;
    this.#line = new WaitingLine({ ...options, take: (request) => this.#take(request) });
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#line.length;
  }

  /** Serves those whose turn it is, where something is free. */
  look(): void {
    this.#line.serve();
  }

  /** Any replica that is ready, for what is known of it without asking. @throws GantryError no_replica */
  any(): Replica {
    const [first] = this.#available();
    if (first !== undefined) return first;
    throw this.#none();
  }

  /** At once where nothing is waited for. @throws GantryError server_not_found, no_replica, queue_full, cancelled */
  lease(request: LeaseRequest): Lease | Promise<Lease> {
    const { server } = this.#options;
    const { queueSize, queueTimeoutMs } = this.#balance();
    if (request.signal?.aborted === true) throw callerLeft(server);
    this.#line.serve(); // whoever waits already comes first
    const lease = this.#line.length === 0 ? this.#take(request) : null;
    if (lease !== null) return lease;
    if (!request.patient && this.#available().length === 0) throw this.#none();
    return this.#line.enter(request, { size: queueSize, timeoutMs: queueTimeoutMs });
  }

  #take(request: LeaseRequest): Lease | null {
    const { server, facts, pools } = this.#options;
    const balance = pools.spec(server)?.balance;
    if (balance === undefined) return null; // the server has just been removed: who waits is told in time
    const picked = this.#pick(request, balance);
    if (picked === null) return null;
    const end = picked.take();
    facts.state({ type: 'replica.picked', server, replica: picked.id });
    let isOver = false;
    return {
      replica: picked.replica,
      done: (answered = false) => {
        if (isOver) return;
        isOver = true;
        end(answered);
        this.#line.serve();
      },
    };
  }

  #pick({ owner, avoid }: LeaseRequest, balance: Balance): Candidate | null {
    const available: Candidate[] = [];
    for (const replica of this.#standing()) if (replica.available) available.push(this.#candidate(replica));
    const { maxInFlight } = balance;
    const free = maxInFlight === null ? available : available.filter(({ leases }) => leases < maxInFlight);
    const better = avoid.size === 0 ? free : free.filter(({ replica }) => !avoid.has(replica));
    this.#weigh(available, balance);
    return this.#strategyOf(balance).pick(better.length > 0 ? better : free, owner);
  }

  #weigh(candidates: readonly Candidate[], { strategy, weights, slowStartMs }: Balance): void {
    const now = this.#options.clock.now();
    let oldestSince = now;
    for (const { since } of candidates) if (since < oldestSince) oldestSince = since;
    for (const candidate of candidates) {
      const configured = strategy === 'weighted' ? (weights[candidate.number] ?? 1) : 1;
      const share = slowStartShare({ since: candidate.since, oldestSince, now, slowStartMs });
      candidate.weight = configured * share;
    }
  }

  #strategyOf({ strategy }: Balance): Strategy<Candidate> {
    if (this.#strategy?.name !== strategy) {
      this.#strategy = { name: strategy, picks: strategyOf(strategy, this.#options.random) };
    }
    return this.#strategy.picks;
  }

  #candidate(replica: Replica): Candidate {
    const known = this.#candidates.get(replica);
    if (known !== undefined) return known;
    const candidate = new Candidate(replica, this.#options.clock);
    this.#candidates.set(replica, candidate);
    return candidate;
  }

  #available(): readonly Replica[] {
    return this.#standing().filter(({ available }) => available);
  }

  #standing(): readonly Replica[] {
    const { pools, server } = this.#options;
    return pools.standing(server);
  }

  /** @throws GantryError server_not_found */
  #balance(): Balance {
    const spec = this.#options.pools.spec(this.#options.server);
    if (spec === null) throw serverNotFound(this.#options.server);
    return spec.balance;
  }

  #none() {
    const { server, facts } = this.#options;
    facts.state({ type: 'call.refused', server, why: 'no_replica' });
    return noReplica(server);
  }
}
