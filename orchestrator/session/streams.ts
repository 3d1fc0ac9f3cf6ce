import { type Clock, GantryError, newSessionId, shortId } from '../kernel/index.ts';
import type { EventBudget } from './event-budget.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import { Stream } from './stream.ts';

/** Answers that are complete and may not have arrived: a client comes back within seconds, if at all. */
const MAX_FINISHED = 32;
/** From this revision on clients take events without data, and a server may hang up on a call that takes long. */
const POLLING_SINCE = '2025-11-25';
const EVENT_ID = /^([\w-]+)\.(0|[1-9]\d{0,14})$/;

export type StreamsOptions = {
  readonly log: EventBudget;
  readonly clock: Clock;
  /** Whether to let the client of a long call go after so long, to come back for the rest; null: never. */
  readonly pollAfterMs: number | null;
  readonly onDropped: (why: string) => void;
};

/** Those of a session that an earlier start of the orchestrator had. */
export type RestoredStreams = {
  /** Begins their ids. */
  readonly name: string;
  /** The last number that is remembered of those that are not finished, by id. */
  readonly lastSeqs: ReadonlyMap<string, number>;
};

export type Begun = { readonly stream: Stream; readonly reader: OutStream<OutEvent> };

/** The streams of one session: the one for messages that belong to no call, and one per call that needs one. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #streams = new Map<string, Stream>();
  readonly #listening: Stream;
  /** Not the session's id: that is a secret, and this one is shown in logs and keys. */
  readonly name: string;
  readonly #restored: RestoredStreams | null;
  #polls = false;

  constructor(options: StreamsOptions, restored: RestoredStreams | null = null) {
    this.#options = options;
    this.#restored = restored;
    this.name = restored?.name ?? newSessionId();
    this.#listening = this.again(listeningStream(this.name));
  }

  /** The handshake has agreed on a revision. */
  agreed(version: string): void {
    this.#polls = version >= POLLING_SINCE;
  }

  /** The stream of a call, or of several that came together, and its first reader. */
  begin(): Begun {
    this.#forgetFinished();
    const stream = this.again(`${this.name}-${shortId()}`);
    return { stream, reader: this.#watched(stream, stream.open()) };
  }

  /** What belongs to no call. @param lost see `Stream.push` */
  announce(message: string, lost: () => void): void {
    this.#listening.push(message, lost);
  }

  /** Whether somebody reads the stream for what belongs to no call. */
  get isListening(): boolean {
    return this.#listening.isRead;
  }

  /** @throws GantryError invalid_state when somebody listens already */
  listen(): OutStream<OutEvent> {
    if (this.#listening.isRead) {
      throw new GantryError('invalid_state', 'This session already has a GET stream: only one is allowed.');
    }
    return this.#listening.open();
  }

  /**
   * The rest of a stream, whatever opened it.
   * @returns null when the stream is over and nothing of it was missed
   * @throws GantryError invalid_request for an id that this session did not give out, or has forgotten
   */
  async resume(lastEventId: string): Promise<OutStream<OutEvent> | null> {
    const [, id = '', seq = ''] = EVENT_ID.exec(lastEventId) ?? [];
    const stream = this.#streams.get(id) ?? (await this.#finishedBefore(id));
    if (stream?.knows(Number(seq)) !== true) {
      throw new GantryError(
        'invalid_request',
        id === ''
          ? 'Last-Event-ID is not an event id of this server.'
          : 'Last-Event-ID names no event of this session, or one of a stream that is no longer kept.',
      );
    }
    const reader = await stream.resume(Number(seq));
    return reader === null ? null : this.#watched(stream, reader);
  }

  /** The stream of that id, unread where no earlier start of the orchestrator had it. */
  again(id: string): Stream {
    const { log, onDropped } = this.#options;
    const lastSeq = this.#restored?.lastSeqs.get(id);
    const known = lastSeq === undefined ? {} : { lastSeq };
    const stream = new Stream({ id, log, primes: () => this.#polls, onDropped, ...known });
    this.#streams.set(id, stream);
    return stream;
  }

  /** This process ends, and the session does not: readers hang up and come back to the next one. */
  leave(): void {
    for (const stream of this.#streams.values()) stream.leave();
  }

  /** The session is over: only open calls may still write their last words. */
  end(): void {
    for (const stream of this.#streams.values()) {
      if (stream.finished || stream === this.#listening) stream.drop();
    }
    this.#streams.clear();
  }

  /** A stream whose last word was said before this process began, for a client that has not got it yet. */
  async #finishedBefore(id: string): Promise<Stream | undefined> {
    if (this.#restored === null || !id.startsWith(`${this.name}-`)) return undefined;
    const { log, onDropped } = this.#options;
    const [lastSeq = 0] = await log.lastOf([id]).catch(() => []);
    if (lastSeq === 0) return undefined;
    const stream = new Stream({ id, log, primes: () => this.#polls, onDropped, lastSeq });
    stream.finish();
    return stream;
  }

  #watched(stream: Stream, reader: OutStream<OutEvent>): OutStream<OutEvent> {
    const { clock, pollAfterMs } = this.#options;
    // A reader that has ended meanwhile is not hurt.
    if (pollAfterMs !== null && this.#polls && stream !== this.#listening) {
      clock.after(pollAfterMs, () => reader.end());
    }
    return reader;
  }

  #forgetFinished(): void {
    const finished = [...this.#streams.values()].filter((stream) => stream.finished);
    for (const stream of finished.slice(0, -MAX_FINISHED)) {
      stream.drop();
      this.#streams.delete(stream.id);
    }
  }
}

/** The stream for messages that belong to no call, in the session whose streams are called so. */
export function listeningStream(name: string): string {
  return `${name}-0`;
}
