import type { JsonRpcId, JsonRpcOutcome, Signal } from '../kernel/index.ts';
import type { ResumedCall, SentCall, ServerMessage } from '../routing/index.ts';
import type { TakeoverKind } from './session-book.ts';

export type BackendCallOptions = {
  readonly signal: Signal;
  readonly onMessage: (message: ServerMessage) => void;
  /** See `CallOptions`. Not told by a backend that sends something else in place of the call. */
  readonly onSent?: (sent: SentCall) => void;
};

/** @param startedAt when an earlier start of the orchestrator sent it, in milliseconds since the epoch */
export type ResumeOptions = Omit<BackendCallOptions, 'onSent'> & { readonly startedAt: number };

/**
 * What stands behind a session: a process of its own, or a share of others. The session does not know which.
 */
export type Backend = {
  /** How the next start of the orchestrator takes it over; null where it does not. */
  readonly takeover: TakeoverKind | null;
  /** Its own replica is to be found by the next start too. Resolves when that is written down, or cannot be now. */
  keep?(): Promise<void>;
  /** The replica that is this session's own, or null. */
  readonly replica: string | null;
  /** Relays or answers the client's initialize. */
  initialize(params: Record<string, unknown>, signal: AbortSignal): Promise<JsonRpcOutcome>;
  call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: BackendCallOptions,
  ): Promise<JsonRpcOutcome>;
  /**
   * The answer of a call that an earlier start of the orchestrator sent; absent where nothing is known of such calls.
   * @throws GantryError as `call`
   */
  resume?(call: ResumedCall, options: ResumeOptions): Promise<JsonRpcOutcome>;
  notify(method: string, params: Record<string, unknown> | undefined): Promise<void>;
  /** The client's answer to a request of the server. */
  respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void>;
  /** Messages of the server that belong to no call. */
  listen(listener: (message: ServerMessage) => void): void;
  /** Settles when the backend cannot serve any more, after its calls have ended. Never settles for a share of others. */
  readonly over: Promise<void>;
  close(why: string): void;
};
