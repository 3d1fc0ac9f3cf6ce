import type { EventLog, NumberedMessage } from './event-log.ts';

export type EventLimits = {
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Over all streams of all sessions. */
  readonly maxTotalBytes: number;
};

/**
 * A thousand progress notices are a long call; 8 MiB hold the largest answers seen (263 kB) many times over. All
 * together stay far below the memory of the stack's Redis.
 */
export const EVENT_LIMITS: EventLimits = {
  maxEvents: 1000,
  maxBytes: 8 * 1024 * 1024,
  maxTotalBytes: 64 * 1024 * 1024,
};

/** For streams that nobody can come back to. */
export const NOTHING: EventLimits = { maxEvents: 0, maxBytes: 0, maxTotalBytes: 0 };

type Account = { sizes: number[]; firstSeq: number; bytes: number };

/** Keeps a log within its limits: the oldest messages of a stream go first, then the oldest streams as a whole. */
export class EventBudget {
  readonly #log: EventLog;
  readonly #limits: EventLimits;
  readonly #accounts = new Map<string, Account>();
  #totalBytes = 0;

  constructor(log: EventLog, limits: EventLimits = EVENT_LIMITS) {
    this.#log = log;
    this.#limits = limits;
  }

  append(stream: string, entry: NumberedMessage): void {
    const bytes = Buffer.byteLength(entry.message);
    if (this.#limits.maxEvents === 0) return;
    // What alone is over the limit would only push everything else out.
    if (bytes > this.#limits.maxBytes) return this.drop(stream);
    const account = this.#accounts.get(stream) ?? { sizes: [], firstSeq: entry.seq, bytes: 0 };
    this.#accounts.set(stream, account);
    account.sizes.push(bytes);
    account.bytes += bytes;
    this.#totalBytes += bytes;
    this.#log.append(stream, entry);
    this.#trim(stream, account);
    for (const oldest of this.#accounts.keys()) {
      if (this.#totalBytes <= this.#limits.maxTotalBytes) return;
      if (oldest !== stream) this.drop(oldest);
    }
  }

  since(stream: string, after: number): Promise<readonly NumberedMessage[]> {
    return this.#log.since(stream, after);
  }

  lastOf(streams: readonly string[]): Promise<readonly number[]> {
    return this.#log.lastOf(streams);
  }

  /** Forgets a stream as a whole. */
  drop(stream: string): void {
    const account = this.#accounts.get(stream);
    if (account === undefined) return;
    this.#accounts.delete(stream);
    this.#totalBytes -= account.bytes;
    this.#log.drop(stream);
  }

  #trim(stream: string, account: Account): void {
    const { maxEvents, maxBytes } = this.#limits;
    const before = account.firstSeq;
    while (account.sizes.length > maxEvents || account.bytes > maxBytes) {
      const bytes = account.sizes.shift() ?? 0;
      account.bytes -= bytes;
      this.#totalBytes -= bytes;
      account.firstSeq++;
    }
    if (account.firstSeq > before) this.#log.drop(stream, account.firstSeq);
  }
}
