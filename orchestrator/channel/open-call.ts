import { type Clock, GantryError, type JsonRpcOutcome, type Signal } from '../kernel/index.ts';
import type { ServerMessage } from './server-line.ts';

export type CallOptions = {
  /** Counted from the server's last message for this call. */
  readonly callTimeoutMs: number;
  /** Ceiling of the call, whatever the server says meanwhile. */
  readonly maxCallMs: number;
  /** Withdraws the call: the server gets `notifications/cancelled`. */
  readonly signal?: Signal | undefined;
  /** Progress of this call, with the caller's own token, and whatever else is attributed to it. */
  readonly onMessage?: ((message: ServerMessage) => void) | undefined;
  /**
   * Whether messages without correlation may be given to this call. Only where one client holds the replica:
   * under sharing they would reach a stranger.
   */
  readonly takesUnattributed?: boolean;
  /** Told, in the turn of the call, what it takes to wait for its answer in another process (`Link.resume`). */
  readonly onSent?: ((sent: SentCall) => void) | undefined;
};

/** A request on its way to a process that outlives this one. */
export type SentCall = {
  readonly replica: string;
  /** Its id there, which is its progress token too. */
  readonly id: number;
  /** Which line of input it is, counted from the start of the process. */
  readonly line: number;
};

/** One request in flight: its token, its deadlines, its one answer. */
export class OpenCall {
  readonly outcome: Promise<JsonRpcOutcome>;
  readonly #id: number;
  readonly #method: string;
  readonly #options: CallOptions;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #resolve: (outcome: JsonRpcOutcome) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onEnd: () => void;
  readonly #onWithdrawn: (why: string) => void;
  readonly #onAbort = (): void =>
    this.#withdraw(cancelled(this.#options.signal?.reason), 'cancelled by the client');
  #cancelTimer: () => void = () => {};
  #lastHeardAt: number;
  #callersToken: unknown;
  #ended = false;

  constructor(options: {
    id: number;
    method: string;
    clock: Clock;
    options: CallOptions;
    /** Milliseconds since the epoch. */
    startedAt: number;
    onEnd: () => void;
    /** Called when the call ends without the server's answer while the server still works on it. */
    onWithdrawn: (why: string) => void;
  }) {
    this.#id = options.id;
    this.#method = options.method;
    this.#options = options.options;
    this.#clock = options.clock;
    this.#onEnd = options.onEnd;
    this.#onWithdrawn = options.onWithdrawn;
    this.#startedAt = options.startedAt;
    this.#lastHeardAt = this.#startedAt;
    const { promise, resolve, reject } = Promise.withResolvers<JsonRpcOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#arm(this.#startedAt);
  }

  get takesUnattributed(): boolean {
    return this.#options.takesUnattributed === true;
  }

  /** The parameters with the link's own progress token where the caller set one. */
  withOwnToken(params: Record<string, unknown>): Record<string, unknown> {
    const meta = params._meta;
    if (typeof meta !== 'object' || meta === null || !('progressToken' in meta)) return params;
    this.#callersToken = meta.progressToken;
    return { ...params, _meta: { ...meta, progressToken: this.#id } };
  }

  /** The request left with the link's own progress token in place of this one. */
  replacedToken(callersToken: unknown): void {
    this.#callersToken = callersToken;
  }

  /** @returns false when the caller asked for no progress. */
  progress(message: ServerMessage): boolean {
    if (this.#callersToken === undefined) return false;
    this.message({ ...message, params: { ...message.params, progressToken: this.#callersToken } });
    return true;
  }

  message(message: ServerMessage): void {
    this.#lastHeardAt = this.#clock.now();
    this.#options.onMessage?.(message);
  }

  answer(outcome: JsonRpcOutcome): void {
    if (this.#end()) this.#resolve(outcome);
  }

  fail(error: GantryError): void {
    if (this.#end()) this.#reject(error);
  }

  #arm(now: number): void {
    const silenceLeftMs = this.#lastHeardAt + this.#options.callTimeoutMs - now;
    const totalLeftMs = this.#startedAt + this.#options.maxCallMs - now;
    const leftMs = Math.min(silenceLeftMs, totalLeftMs);
    if (leftMs > 0) {
      this.#cancelTimer = this.#clock.after(leftMs, () => this.#arm(this.#clock.now()));
      return;
    }
    const limit =
      totalLeftMs <= 0
        ? `maxCallMs ${this.#options.maxCallMs}`
        : `callTimeoutMs ${this.#options.callTimeoutMs}`;
    const error = new GantryError(
      'call_timeout',
      `The server did not answer ${this.#method} in time (${limit}). The call may still be running.`,
      { detail: { method: this.#method, limit, mayHaveRun: true } },
    );
    this.#withdraw(error, 'timed out');
  }

  #withdraw(error: GantryError, why: string): void {
    if (!this.#end()) return;
    // The initialize request must not be cancelled (MCP 2025-11-25, basic/utilities/cancellation).
    if (this.#method !== 'initialize') this.#onWithdrawn(why);
    this.#reject(error);
  }

  /** @returns false when the call had already ended: the first cause wins. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#cancelTimer();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd();
    return true;
  }
}

/** What a call ends with that its caller has withdrawn. */
export function cancelled(cause: unknown): GantryError {
  return new GantryError('cancelled', 'The caller withdrew this call.', { cause });
}
