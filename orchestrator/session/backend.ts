import type { JsonRpcId, JsonRpcOutcome } from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';

/**
 * What stands behind a session: a process of its own, or a share of others. The session does not know which.
 */
export type Backend = {
  /** The replica that is this session's own, or null. */
  readonly replica: string | null;
  /** Relays or answers the client's initialize. */
  initialize(params: Record<string, unknown>, signal: AbortSignal): Promise<JsonRpcOutcome>;
  call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: { signal: AbortSignal; onMessage: (message: ServerMessage) => void },
  ): Promise<JsonRpcOutcome>;
  notify(method: string, params: Record<string, unknown> | undefined): Promise<void>;
  /** The client's answer to a request of the server. */
  respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void>;
  /** Messages of the server that belong to no call. */
  listen(listener: (message: ServerMessage) => void): void;
  /** Settles when the backend cannot serve any more, after its calls have ended. Never settles for a share of others. */
  readonly over: Promise<void>;
  close(why: string): void;
};
