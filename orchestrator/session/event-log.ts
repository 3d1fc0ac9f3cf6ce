/** A message as it was numbered in its stream, from 1 on. */
export type NumberedMessage = { readonly seq: number; readonly message: string };

/**
 * What was said on streams that can be resumed. Adapters: `memory-event-log` and its twin in Redis
 * (`registry`); one contract suite runs against both (`test/contracts/event-log.ts`).
 *
 * A log only remembers. How much is worth remembering is decided by `EventBudget`; what nobody touches for ten
 * minutes the log may forget by itself.
 */
export type EventLog = {
  /**
   * Remembers a message, at once or soon, in the order of the calls. Never waits and never throws: a log that is
   * away only means that there is nothing to replay.
   */
  append(stream: string, entry: NumberedMessage): void;
  /**
   * What is remembered of a stream after a number, in order, everything appended before included. Entries may be
   * missing. Rejects when the log cannot tell.
   */
  since(stream: string, after: number): Promise<readonly NumberedMessage[]>;
  /** Forgets the messages of a stream below a number; all of them without one. */
  drop(stream: string, below?: number): void;
  /** The number of the last message that is remembered of each stream, 0 where there is none. Rejects as `since`. */
  lastOf(streams: readonly string[]): Promise<readonly number[]>;
  /**
   * Remembers what is under way, such as a call that is not answered yet, until it is over (null). In order with
   * `append`, and as lazily: an answer and the end of its call are remembered together, or neither is.
   */
  note(key: string, value: unknown): void;
  /** Everything that is under way. Rejects as `since`. */
  notes(): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Asked in the turn in which writes leave, so that a note can go along with what was appended since: with it, or not
   * at all. @returns a function that ends this.
   */
  accompany(add: () => void): () => void;
  /** Null where all that was said is remembered; else settles when it is, or is lost. */
  readonly unwritten: Promise<void> | null;
};

/** How long an untouched stream is remembered: longer than a laptop's lid is closed between two rooms. */
export const EVENTS_KEPT_MS = 600_000;
