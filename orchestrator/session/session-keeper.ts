import type { Clock } from '../kernel/index.ts';
import type { Backend } from './backend.ts';
import type { Session } from './session.ts';
import type { SessionBook, SessionRecord } from './session-book.ts';

/** How exact it is known, over a restart, when a client was heard last. */
export const RENEW_MS = 60_000;

/** Keeps the book of sessions up to date, for the next start of the orchestrator. */
export class SessionKeeper {
  readonly #book: SessionBook | null;
  readonly #clock: Clock;
  readonly #records = new Map<Session, SessionRecord>();
  readonly #cancelTimer: () => void;

  /** @param book null where nobody remembers */
  constructor(book: SessionBook | null, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
    this.#cancelTimer = book === null ? () => {} : this.#everyMinute();
  }

  has(session: Session): boolean {
    return this.#records.has(session);
  }

  /**
   * From now on the next start finds it. Resolves when that is written down, or the store does not answer.
   * @param hello the parameters of its initialize
   */
  async keep(session: Session, backend: Backend, hello: Readonly<Record<string, unknown>>): Promise<void> {
    const { takeover: kind, replica } = backend;
    if (this.#book === null || kind === null) return;
    const { server, principal, version, streamName: streams, lastRequestAt } = session;
    const known = kind === 'translated' ? hello : null;
    const record = { server, principal, version, kind, replica, hello: known, streams, lastRequestAt };
    this.#records.set(session, record);
    await Promise.all([backend.keep?.(), this.#book.put(session.key, record)]);
  }

  /** One that the next start would find already. */
  goesOn(session: Session, record: SessionRecord): void {
    this.#records.set(session, record);
  }

  drop(session: Session): void {
    if (this.#records.delete(session)) this.#book?.remove(session.key);
  }

  /** The process ends; what is written down stays. */
  close(): void {
    this.#cancelTimer();
    this.#renew();
  }

  #everyMinute(): () => void {
    let cancel = (): void => {};
    const again = (): void => {
      cancel = this.#clock.after(RENEW_MS, () => {
        this.#renew();
        again();
      });
    };
    again();
    return () => cancel();
  }

  #renew(): void {
    for (const [session, record] of this.#records) {
      const { lastRequestAt } = session;
      if (lastRequestAt === record.lastRequestAt) continue;
      const renewed = { ...record, lastRequestAt };
      this.#records.set(session, renewed);
      void this.#book?.put(session.key, renewed);
    }
  }
}
