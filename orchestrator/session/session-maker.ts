import { isObject } from '../kernel/index.ts';
import type { Backend } from './backend.ts';
import { EventBudget, NOTHING } from './event-budget.ts';
import { type Left, type LeftSession, leftStreams, readLeft } from './left-sessions.ts';
import type { SessionsOptions } from './sender.ts';
import { Session, type SessionOptions } from './session.ts';
import type { SessionRecord } from './session-book.ts';
import { RENEW_MS, type SessionKeeper } from './session-keeper.ts';
import type { RestoredStreams } from './streams.ts';

/** Makes sessions: new ones, and those that an earlier start of the orchestrator had. */
export class SessionMaker {
  readonly #options: SessionsOptions;
  readonly #keeper: SessionKeeper;
  readonly #log: EventBudget;
  readonly #noLog: EventBudget;

  constructor(options: SessionsOptions, keeper: SessionKeeper) {
    this.#options = options;
    this.#keeper = keeper;
    this.#log = new EventBudget(options.log);
    this.#noLog = new EventBudget(options.log, NOTHING);
  }

  /** @param resumable whether the client can come back to a stream that broke */
  make(
    known: Pick<SessionOptions, 'server' | 'principal' | 'backend' | 'restored'>,
    resumable: boolean,
  ): Session {
    const { clock, facts, encodeError, log, book = null, pollAfterMs = null } = this.#options;
    const isTakenOver = resumable && book !== null && known.backend.takeover !== null;
    const { server } = known;
    return new Session({
      ...known,
      clock,
      log: resumable ? this.#log : this.#noLog,
      notes: isTakenOver ? log : null,
      pollAfterMs: resumable ? pollAfterMs : null,
      encodeError,
      onDropped: (why) => facts.state({ type: 'line.dropped', server, replica: 'session', why, count: 1 }),
    });
  }

  /**
   * The sessions that an earlier start left. What cannot go on is forgotten.
   * @param idleLimitMs after so long without a word the sessions of a server are over
   * @throws where the log does not say how far their streams are
   */
  async restored(left: Left, idleLimitMs: (server: string) => number): Promise<readonly Session[]> {
    const { log, book, clock } = this.#options;
    const fresh = readLeft(left).filter(
      ({ record }) => clock.now() - record.lastRequestAt - RENEW_MS < idleLimitMs(record.server),
    );
    const streams = await leftStreams(fresh, (names) => log.lastOf(names));
    const sessions = [...streams]
      .map(([one, known]) => this.#again(one, known))
      .filter((one) => one !== null);
    const living = new Set(sessions.map(({ key }) => key));
    for (const key of left.sessions.keys()) if (!living.has(key)) book?.remove(key);
    for (const [key, note] of left.notes) {
      // Other notes say how far processes were heard: whoever takes those over forgets them.
      if (isObject(note) && !living.has(String(note.session))) log.note(key, null);
    }
    return sessions;
  }

  #again({ key, record, calls, questions }: LeftSession, streams: RestoredStreams): Session | null {
    const { clock } = this.#options;
    const { server, principal, version } = record;
    const backend = this.#backendOf(record);
    if (backend === null) return null;
    const lastRequestAt = Math.min(clock.now(), record.lastRequestAt + RENEW_MS);
    const restored = { key, version, lastRequestAt, streams, questions };
    const session = this.make({ server, principal, backend, restored }, true);
    session.goOn(calls);
    this.#keeper.goesOn(session, record);
    return session;
  }

  #backendOf(record: SessionRecord): Backend | null {
    try {
      return this.#options.endpoints.again(record);
    } catch {
      return null; // its server is gone or disabled by now; the other sessions go on
    }
  }
}
