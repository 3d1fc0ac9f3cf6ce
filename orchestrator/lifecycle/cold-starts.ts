import {
  type BreakerState,
  type Clock,
  type Facts,
  GantryError,
  type Reason,
  reason,
  type ServerSpec,
  type TripCause,
} from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { Breaker } from '../resilience/index.ts';
import type { Running } from './running.ts';
import type { StartsHistory } from './server-history.ts';

/** How soon to come back while one start is on trial: it is decided within the start of a container. */
const TRIAL_RETRY_MS = 2000;

export type ColdStartsOptions = {
  readonly spec: () => ServerSpec;
  readonly clock: Clock;
  readonly random: () => number;
  readonly facts: Facts;
  /** What they had been through in an earlier process; null where nobody knows. */
  readonly past: StartsHistory | null;
};

/**
 * The breaker of a server's starts for sessions and calls. Where `breaker.consecutiveFailures` of them fail in a row,
 * the next are refused at once for `breaker.ejectMs`: each would cost a container and make its caller wait for
 * nothing. Then one is tried; the others wait for its outcome.
 */
export class ColdStarts {
  readonly #options: ColdStartsOptions;
  readonly #breaker: Breaker;
  #lastFailure: Reason | null;
  #trial: ColdStart | null = null;

  constructor(options: ColdStartsOptions) {
    this.#options = options;
    const { spec, clock, random, facts, past } = options;
    this.#lastFailure = past?.lastFailure ?? null;
    // Starts are few: only those in a row count, whatever the share.
    const policy = () => ({ ...spec().breaker, minCalls: Number.POSITIVE_INFINITY });
    this.#breaker = new Breaker({ policy, clock, random, past: past?.breaker ?? null });
    const tell = (state: BreakerState, cause: TripCause | null): void => {
      const about = { server: spec().name, replica: null, guards: 'starts' } as const;
      facts.state({ type: 'breaker.state', ...about, state, cause });
    };
    this.#breaker.watch(tell);
    if (this.#breaker.state !== 'closed') tell(this.#breaker.state, null);
  }

  /** For the next process of Gantry, should this one end now. */
  get history(): StartsHistory {
    return { breaker: this.#breaker.history, lastFailure: this.#lastFailure };
  }

  /** @throws GantryError no_replica while starts are refused: `detail {reason, stderr, retryAfterMs}` */
  check(): void {
    const { state, retryInMs } = this.#breaker;
    if (state === 'open' && retryInMs > 0) throw this.#refusal(retryInMs);
    if (state === 'half_open' && this.#trial !== null) throw this.#refusal(TRIAL_RETRY_MS);
  }

  /** One start begins; what becomes of it is told to what is returned. @throws as `check` */
  begin(): ColdStart {
    this.check();
    const start = new ColdStart({
      clock: this.#options.clock,
      over: (why) => this.#over(start, why),
    });
    if (this.#breaker.state === 'closed') return start;
    this.#trial = start;
    this.#breaker.tryAgain();
    return start;
  }

  /** Somebody asked for a fresh start: what happened before counts no more. */
  forget(): void {
    this.#trial = null;
    this.#breaker.reset();
  }

  #over(start: ColdStart, outcome: StartOutcome): void {
    // With a trial under way, those that began before the breaker opened say nothing new.
    if (this.#trial !== null && this.#trial !== start) return;
    this.#trial = null;
    if (outcome === 'abandoned') return;
    if (outcome !== 'ready') this.#lastFailure = outcome;
    this.#breaker.record(outcome === 'ready' ? 'success' : 'failure');
  }

  #refusal(retryAfterMs: number): GantryError {
    const { name } = this.#options.spec();
    const why = this.#lastFailure;
    const text = `Server ${name} failed to start several times in a row and is not started again for a while. The last time: ${why?.message ?? 'unknown'}`;
    return new GantryError('no_replica', text, {
      detail: {
        server: name,
        reason: why?.code ?? 'internal',
        stderr: why?.stderr ?? [],
        mayHaveRun: false,
        retryAfterMs,
      },
    });
  }
}

type StartOutcome = 'ready' | 'abandoned' | Reason;

/** One start under way. Its first outcome counts. */
export class ColdStart {
  readonly #clock: Clock;
  readonly #tell: (outcome: StartOutcome) => void;
  #isOver = false;

  constructor({ clock, over }: { clock: Clock; over: (outcome: StartOutcome) => void }) {
    this.#clock = clock;
    this.#tell = over;
  }

  failed(why: Reason): void {
    this.#over(why);
  }

  /** Not the server's doing: the engine was away, or nobody wanted it any more. */
  abandoned(): void {
    this.#over('abandoned');
  }

  /** It runs. A completed handshake is a success, an end before it a failure, unless somebody ended it early. */
  follow(running: Running, readyMs: number): void {
    const startedAt = this.#clock.now();
    const { replica } = running;
    const unwatch = replica.watch(({ name }) => {
      if (name === 'ready') this.#over('ready');
    });
    if (isReady(replica)) this.#over('ready');
    void running.ended.then(({ reason: why }) => {
      unwatch();
      if (why === null && this.#clock.now() - startedAt < readyMs) return this.abandoned();
      this.failed(why ?? silent(readyMs, running.stderr));
    });
  }

  #over(outcome: StartOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(outcome);
  }
}

/** Nobody else says so where it was the client that greeted it and gave up. */
function silent(readyMs: number, stderr: readonly string[]): Reason {
  return reason('never_ready', `The handshake was not completed within readyMs (${readyMs} ms).`, { stderr });
}

function isReady(replica: Replica): boolean {
  return replica.state.name === 'ready';
}
