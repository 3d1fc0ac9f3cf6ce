import type { EventBudget } from './event-budget.ts';
import type { NumberedMessage } from './event-log.ts';
import { type OutEvent, OutStream } from './out-stream.ts';

/** Messages kept in memory while nobody reads: `roots/list` often comes before the client listens. */
const MAX_HELD = 100;
/** The same in characters: one server must not fill the memory that all share. */
const MAX_HELD_SIZE = 4 * 1024 * 1024;
/** What a client may have seen last that the log of a dead process never got: the writes of one turn. */
const MAX_UNSURE = MAX_HELD;
/** Soon, because somebody waits for the answer; not at once, because all clients of a broken proxy come back together. */
const RETRY_MS = 1000;

export type StreamOptions = {
  /** Begins the ids of its events; unique among all sessions, so that an id tells whose it is. */
  readonly id: string;
  readonly log: EventBudget;
  /** Whether the client knows events without data; older parsers choke on them. */
  readonly primes: () => boolean;
  /** A message that could be given to nobody, by a short stable word. */
  readonly onDropped: (why: string) => void;
  /** Where an earlier start of the orchestrator gave out events of it: the number of the last that is remembered. */
  readonly lastSeq?: number;
};

/**
 * One stream of messages in a session, read by one response after the other. Losing its reader ends nothing:
 * messages wait until somebody comes back with the id of the last event seen.
 */
export class Stream {
  readonly id: string;
  readonly #log: EventBudget;
  readonly #primes: () => boolean;
  readonly #onDropped: (why: string) => void;
  /** Somebody has read it, perhaps before this process began. */
  #wasRead: boolean;
  #lastSeq: number;
  readonly #unsure: number;
  /** The last that its reader had when it came back. */
  #seen = 0;
  #reader: OutStream<OutEvent> | null = null;
  /** Said while nobody read. */
  #held: NumberedMessage[] = [];
  #heldSize = 0;
  #finished = false;
  /** Counts the readers, so that one who had to wait learns that another came meanwhile. */
  #turn = 0;

  constructor({ id, log, primes, onDropped, lastSeq }: StreamOptions) {
    this.#wasRead = lastSeq !== undefined;
    this.#lastSeq = lastSeq ?? 0;
    this.#unsure = lastSeq === undefined ? 0 : MAX_UNSURE;
    this.id = id;
    this.#log = log;
    this.#primes = primes;
    this.#onDropped = onDropped;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Whether somebody reads now. */
  get isRead(): boolean {
    return this.#reader !== null && !this.#reader.ended;
  }

  /**
   * Ignored once the stream is finished.
   * @param lost called in place of keeping a message that nobody can get: there was no reader yet, and too much
   *   waits for the first one. An answer has none, and is always kept.
   */
  push(message: string, lost?: () => void): void {
    if (this.#finished) return;
    const isFull = this.#held.length >= MAX_HELD || this.#heldSize + message.length > MAX_HELD_SIZE;
    if (lost !== undefined && !this.#wasRead && isFull) return lost();
    const entry = { seq: ++this.#lastSeq, message };
    if (this.#wasRead) this.#log.append(this.id, entry); // nobody can come back who was never here
    if (entry.seq <= this.#seen) return; // by a client that got it from a process that ended before it could write
    if (this.#reader?.push(this.#eventOf(entry)) === true) return;
    this.#hold(entry);
  }

  /** Nothing follows. What was said waits for its reader. */
  finish(): void {
    this.#finished = true;
    this.#reader?.end();
  }

  /** A reader that has seen nothing yet: it gets what waits, then what follows. */
  open(): OutStream<OutEvent> {
    const held = this.#takeHeld();
    if (!this.#wasRead) for (const entry of held) this.#log.append(this.id, entry);
    return this.#read(held);
  }

  /**
   * A reader that comes back: it gets what was said after the last event it saw, then what follows. It takes the
   * place of the one before, whose connection may have broken without a word.
   * @param after the number of that event; must be one that was given out
   * @returns null when the stream is over and nothing was missed
   */
  async resume(after: number): Promise<OutStream<OutEvent> | null> {
    this.#reader?.abandon();
    this.#seen = after;
    const turn = ++this.#turn;
    // Without the log there is still what nobody read; what is lost is counted below.
    const logged = await this.#log.since(this.id, after).catch(() => []);
    if (turn !== this.#turn) {
      const superseded = new OutStream<OutEvent>();
      superseded.end();
      return superseded;
    }
    const missed = new Map<number, NumberedMessage>();
    for (const entry of [...logged, ...this.#takeHeld()]) {
      if (entry.seq > after) missed.set(entry.seq, entry);
    }
    for (let lost = this.#lastSeq - after - missed.size; lost > 0; lost--) this.#onDropped('not_replayed');
    if (this.#finished && missed.size === 0) return null;
    return this.#read([...missed.values()].sort((a, b) => a.seq - b.seq));
  }

  /** Whether an event of that number was given out; 0 is the event without data at the start. */
  knows(seq: number): boolean {
    return seq >= 0 && seq <= this.#lastSeq + this.#unsure;
  }

  /** Its reader hangs up; what it has not read waits in the log for the next process. */
  leave(): void {
    this.#reader?.end();
  }

  /** The stream is over and forgotten. */
  drop(): void {
    this.finish();
    this.#log.drop(this.id);
  }

  #read(first: readonly NumberedMessage[]): OutStream<OutEvent> {
    this.#turn++;
    this.#wasRead = true;
    const reader = new OutStream<OutEvent>();
    this.#reader = reader;
    const before = (first[0]?.seq ?? Math.max(this.#lastSeq, this.#seen) + 1) - 1;
    if (this.#primes()) reader.push({ id: `${this.id}.${before}`, data: '', retryMs: RETRY_MS });
    for (const entry of first) reader.push(this.#eventOf(entry));
    if (this.#finished) reader.end();
    return reader;
  }

  /** The newest stay, among them the answer; the others are in the log, for a reader that comes back. */
  #hold(entry: NumberedMessage): void {
    this.#held.push(entry);
    this.#heldSize += entry.message.length;
    while (this.#held.length > MAX_HELD || (this.#heldSize > MAX_HELD_SIZE && this.#held.length > 1)) {
      this.#heldSize -= this.#held.shift()?.message.length ?? 0;
    }
  }

  #takeHeld(): NumberedMessage[] {
    const held = this.#held;
    this.#held = [];
    this.#heldSize = 0;
    return held;
  }

  #eventOf({ seq, message }: NumberedMessage): OutEvent {
    return { id: `${this.id}.${seq}`, data: message };
  }
}
