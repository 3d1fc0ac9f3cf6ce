import type { Clock, Facts, GantryError, Signal } from '../kernel/index.ts';
import { FairQueue, type Owner } from './fair-queue.ts';
import { callerLeft, queueFull, waitedTooLong } from './refusals.ts';

/**
 * How often a line is looked at beside the ends of calls and the changes of replicas that we are told of: a limit that
 * was raised is not among them. Short against what a start takes.
 */
const LOOK_AGAIN_MS = 100;

/** What whoever waits has to say of himself. */
export type Request = {
  readonly owner: Owner;
  readonly signal: Signal | undefined;
};

type Waiter<R extends Request, G> = {
  readonly owner: Owner;
  readonly request: R;
  readonly grant: (given: G) => void;
};

export type WaitingLineOptions<R, G> = {
  readonly server: string;
  readonly clock: Clock;
  readonly facts: Facts;
  /** Gives what is waited for, or null while there is none; then nobody else in the line can be given one either. */
  readonly take: (request: R) => G | null;
};

/**
 * Calls of one server that wait for a place: bounded, fair between callers, each with a deadline. A call that is
 * withdrawn leaves at once.
 */
export class WaitingLine<R extends Request, G> {
  readonly #options: WaitingLineOptions<R, G>;
  readonly #queue = new FairQueue<Waiter<R, G>>();
  /** How to end the wait of each, with an error. */
  readonly #ends = new Map<Waiter<R, G>, (error: GantryError, outcome: 'evicted') => void>();
  #cancelLook: (() => void) | null = null;

  constructor(options: WaitingLineOptions<R, G>) {
    this.#options = options;
  }

  get length(): number {
    return this.#queue.size;
  }

  /**
   * Waits until there is something to take.
   * @throws GantryError queue_full, no_replica after `timeoutMs`, cancelled
   */
  enter(request: R, limits: { readonly size: number; readonly timeoutMs: number }): Promise<G> {
    const { owner, signal } = request;
    const { server, clock, facts } = this.#options;
    if (signal?.aborted === true) return Promise.reject(callerLeft(server));
    if (!this.#hasRoomFor(owner, limits.size)) {
      facts.state({ type: 'call.refused', server, why: 'queue_full' });
      return Promise.reject(queueFull(server, limits.size));
    }
    const since = clock.now();
    facts.state({ type: 'call.waiting', server });
    return new Promise((resolve, reject) => {
      const over = (outcome: 'served' | 'timed_out' | 'cancelled' | 'evicted'): void => {
        this.#queue.delete(waiter);
        this.#ends.delete(waiter);
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
        facts.state({ type: 'call.waited', server, outcome, waitMs: clock.now() - since });
        if (this.length === 0) this.#stopLooking();
      };
      const waiter: Waiter<R, G> = {
        owner,
        request,
        grant: (given) => {
          over('served');
          resolve(given);
        },
      };
      const fail = (error: GantryError, outcome: 'timed_out' | 'cancelled' | 'evicted'): void => {
        over(outcome);
        reject(error);
      };
      const onAbort = (): void => fail(callerLeft(server), 'cancelled');
      const cancelTimer = clock.after(limits.timeoutMs, () => {
        facts.state({ type: 'call.refused', server, why: 'queue_timeout' });
        fail(waitedTooLong(server, limits.timeoutMs), 'timed_out');
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#ends.set(waiter, fail);
      this.#queue.push(waiter);
      this.#lookLater();
    });
  }

  /** Something may be free: gives it to those whose turn it is. */
  serve(): void {
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      const given = this.#options.take(next.request);
      if (given === null) return;
      this.#queue.shift();
      next.grant(given);
    }
  }

  /** In a full line somebody with more calls gives way to somebody with fewer. */
  #hasRoomFor(owner: Owner, size: number): boolean {
    if (this.length < size) return true;
    const rival = size === 0 ? null : this.#queue.rival(owner);
    if (rival === null) return false;
    const { server, facts } = this.#options;
    facts.state({ type: 'call.refused', server, why: 'queue_full' });
    this.#ends.get(rival)?.(queueFull(server, size), 'evicted');
    return true;
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#options.clock.after(LOOK_AGAIN_MS, () => {
      this.#cancelLook = null;
      this.serve();
      if (this.length > 0) this.#lookLater();
    });
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
  }
}
