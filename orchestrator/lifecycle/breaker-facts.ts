import type { BreakerPolicy, BreakerState, Clock, Facts, ServerSpec, TripCause } from '../kernel/index.ts';
import { Breaker, type BreakerHistory } from '../resilience/index.ts';

export type GuardedCalls = {
  readonly server: string;
  readonly replica: string;
  readonly policy: () => BreakerPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly facts: Facts;
  /** Whether it may be taken out of its pool now for its counts or its silence. Default: always. */
  readonly mayEject?: () => boolean;
  /** See `BreakerOptions`. */
  readonly past?: BreakerHistory | null;
};

/** The breaker of one place in a pool, or of a session's replica; its changes are stated. */
export function callBreaker(options: GuardedCalls): Breaker {
  const { server, replica, policy, clock, random, facts, past = null } = options;
  const mayOpen = (cause: TripCause): boolean => {
    if (options.mayEject?.() !== false) return true;
    facts.state({ type: 'breaker.spared', server, replica, cause });
    return false;
  };
  const breaker = new Breaker({ policy, clock, random, mayOpen, past });
  breaker.watch((state, cause) =>
    facts.state({ type: 'breaker.state', server, replica, guards: 'calls', state, cause }),
  );
  return breaker;
}

/** The breaker of one place in a pool, which outlives the replicas in it; told from the start. */
export function placeBreaker(
  options: Omit<GuardedCalls, 'server' | 'replica' | 'policy' | 'mayEject'> & {
    readonly id: string;
    readonly spec: () => ServerSpec;
    readonly mayEject: (id: string) => boolean;
  },
): Breaker {
  const { id, spec, facts } = options;
  const server = spec().name;
  const policy = (): BreakerPolicy => spec().breaker;
  const mayEject = (): boolean => options.mayEject(id);
  const breaker = callBreaker({ ...options, server, replica: id, policy, mayEject });
  noteBreaker(facts, server, id, breaker.state);
  return breaker;
}

/** A place that begins, or one that is no more. */
export function noteBreaker(
  facts: Facts,
  server: string,
  replica: string,
  state: BreakerState | 'gone',
): void {
  facts.state({ type: 'breaker.state', server, replica, guards: 'calls', state, cause: null });
}
