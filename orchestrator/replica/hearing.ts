import type { Link, ServerMessage } from '../channel/index.ts';
import { EarlyMessages, type Reply } from './early-messages.ts';

/** Who hears what a process says that belongs to no call: nobody yet, or whoever holds it. */
export class Hearing {
  readonly #link: Link;
  readonly #onDropped: (why: string) => void;
  #early: EarlyMessages | null = null;

  constructor(link: Link, onDropped: (why: string) => void) {
    this.#link = link;
    this.#onDropped = onDropped;
  }

  /** What it says is kept until somebody listens. */
  waitForHolder(): void {
    const respond: Reply = (id, answer) => void this.#link.respond(id, answer).catch(() => {}); // it has ended meanwhile
    const early = new EarlyMessages({ respond, onDropped: this.#onDropped });
    this.#early = early;
    this.#link.listen((message) => early.take(message));
  }

  /** At most one listener; null where there is none any more. */
  listen(listener: ((message: ServerMessage) => void) | null): void {
    this.#link.listen(listener);
    this.#early?.handTo(listener);
    this.#early = null;
  }

  /** What was kept is for nobody. */
  byNobody(): void {
    if (this.#early !== null) this.listen(null);
  }
}
