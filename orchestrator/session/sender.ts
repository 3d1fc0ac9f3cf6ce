import type { Clock, Facts } from '../kernel/index.ts';
import type { Answer, EncodeError } from './calls.ts';
import type { Endpoints } from './endpoints.ts';
import type { EventLog } from './event-log.ts';
import type { SessionBook } from './session-book.ts';

/** Who sends a message, to which server, in which session. */
export type Sender = {
  readonly server: string;
  readonly principal: string;
  readonly sessionId: string | null;
};

export type Reply =
  /** A notification or a response was taken. */
  { readonly kind: 'accepted' } | ({ readonly sessionId: string | null } & Answer);

export type SessionsOptions = {
  readonly endpoints: Endpoints;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly encodeError: EncodeError;
  /** Remembers what was said on streams, for clients that lose their connection. */
  readonly log: EventLog;
  /** Remembers sessions for the next start of the orchestrator; null or absent where nobody does. */
  readonly book?: SessionBook | null;
  /**
   * After so long the stream of a call is closed under clients of 2025-11-25 and later; they come back for the
   * rest, and no connection is held by a call that takes minutes. Off where it is not given.
   */
  readonly pollAfterMs?: number;
};
