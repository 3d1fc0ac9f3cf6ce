import { type Clock, GantryError } from '../kernel/index.ts';
import type { EncodeError } from './calls.ts';
import type { ClientMessage } from './client-message.ts';
import type { Sessions } from './sessions.ts';
import { type SseOwner, SseSession } from './sse-session.ts';

/** A stream whose client never initializes is given up after so long: it is of no use to anybody. */
const INITIALIZE_WITHIN_MS = 60_000;

/** The streams of clients that speak the transport of 2024-11-05, by id. An id is bound to its owner. */
export class SseSessions {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #encodeError: EncodeError;
  readonly #open = new Map<string, SseSession>();

  constructor(options: { sessions: Sessions; clock: Clock; encodeError: EncodeError }) {
    this.#sessions = options.sessions;
    this.#clock = options.clock;
    this.#encodeError = options.encodeError;
  }

  /**
   * Begins a stream. Whoever reads it must say when it is over: `SseSession.end`, by `end`.
   * @param addressOf where messages are to be posted, by the id; it is the first thing on the stream
   */
  open(owner: SseOwner, addressOf: (id: string) => string): SseSession {
    const session = new SseSession({ owner, sessions: this.#sessions, encodeError: this.#encodeError });
    this.#open.set(session.id, session);
    session.stream.push({ event: 'endpoint', data: addressOf(session.id) });
    this.#clock.after(INITIALIZE_WITHIN_MS, () => {
      if (session.isNew) this.end(session);
    });
    return session;
  }

  /** A message that was posted. @throws GantryError session_not_found, invalid_request, and as `Sessions.take` */
  async take(owner: SseOwner, id: string, message: ClientMessage): Promise<void> {
    const session = this.#open.get(id);
    // A stream of somebody else is not there: saying more would tell that the id exists.
    if (session?.owner.server !== owner.server || session.owner.principal !== owner.principal) {
      throw new GantryError('session_not_found', 'This stream does not exist or has ended: open another.', {
        detail: { server: owner.server },
      });
    }
    await session.take(message);
  }

  end(session: SseSession): void {
    if (this.#open.delete(session.id)) session.end();
  }

  close(): void {
    for (const session of [...this.#open.values()]) this.end(session);
  }
}
