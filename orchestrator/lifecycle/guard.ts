import { type Clock, type Facts, type Reason, reason, type ServerSpec } from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { HealthCheck } from './health-check.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { Running } from './running.ts';

/** A replica is taken out although its process runs. */
export type Ejection = {
  readonly reason: Reason;
  /** Whether its calls may finish first: where nothing is heard at all they would wait in vain. */
  readonly drains: boolean;
};

export type GuardOptions = {
  readonly running: Running;
  readonly breaker: Breaker;
  readonly spec: () => ServerSpec;
  readonly clock: Clock;
  readonly random: () => number;
  readonly facts: Facts;
  readonly engine: ReplicaHost;
};

/**
 * Watches one replica while it serves: its calls by its breaker, its silence by probes, its end. Says when it has to
 * go; whoever holds the replica ends it.
 */
export class Guard {
  /** Settles once, when it has to go; never where it ends otherwise. */
  readonly verdict: Promise<Ejection>;
  readonly #health: HealthCheck;
  readonly #unwatch: () => void;
  readonly #breaker: Breaker;
  #ejection: Ejection | null = null;
  /** Its end has been counted already. */
  #isForgotten = false;

  constructor(options: GuardOptions) {
    const { running, breaker, spec, facts } = options;
    this.#breaker = breaker;
    const { promise, resolve } = Promise.withResolvers<Ejection>();
    const eject = (ejection: Ejection): void => {
      this.#ejection ??= ejection;
      resolve(ejection);
    };
    this.verdict = promise;
    this.#unwatch = breaker.watch((state, cause) => {
      const isCounted = cause === 'consecutive' || cause === 'ratio';
      if (state === 'open' && isCounted)
        eject({ reason: brokenReason(cause, spec(), running), drains: true });
    });
    this.#health = new HealthCheck({
      ...options,
      onUnresponsive: (why) => {
        if (!breaker.trip('unresponsive')) return false;
        eject({ reason: why, drains: false });
        return true;
      },
    });
    const ended = running.ended.then(({ reason: why }) => {
      this.close();
      // That the engine went away says nothing about the server.
      if (!this.#isForgotten && why !== null && why.code !== 'engine_unavailable') breaker.trip('dead');
    });
    inBackground(facts, `breaker of ${running.replica.identity.id}`, ended);
  }

  get ejection(): Ejection | null {
    return this.#ejection;
  }

  /**
   * Another replica has the place, and its breaker. The end of this one counts now, so that the other has to answer a
   * probe before it serves, and not once more when it is known how it ended.
   */
  followed(): null {
    this.#isForgotten = true;
    this.close();
    this.#breaker.trip('dead');
    return null;
  }

  close(): void {
    this.#health.close();
    this.#unwatch();
  }
}

function brokenReason(cause: 'consecutive' | 'ratio', { breaker }: ServerSpec, running: Running): Reason {
  const what =
    cause === 'consecutive'
      ? `${breaker.consecutiveFailures} calls in a row got no answer in time`
      : `${breaker.failurePercent} % or more of the calls within ${breaker.windowMs} ms got no answer in time`;
  const text = `The replica was taken out and is replaced: ${what}. Slow calls need a larger timeouts.callTimeoutMs, or progress.`;
  return reason('breaker_open', text, { stderr: running.stderr });
}
