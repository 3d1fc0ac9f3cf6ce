import { type Clock, GantryError, type ServerSpec } from '../../kernel/index.ts';
import type { Replica } from '../../routing/index.ts';

/** A replica for one call. In the end either `release` or `discard` is called, once. */
export type Leased = {
  readonly replica: Replica;
  /** The call waits for its client: others may use the process meanwhile. */
  readonly pause: () => void;
  /** It goes on, as soon as those others let it. @throws GantryError no_replica, cancelled */
  readonly resume: (signal: AbortSignal) => Promise<void>;
  readonly release: () => void;
  /** The process must not be used for anything else: it may still work on the call, or be frozen. */
  readonly discard: (why: string) => void;
};

/** A ready replica and how it is ended; null where that is somebody else's business. */
export type Opened = { readonly replica: Replica; readonly end: ((why: string) => void) | null };

export type Want = {
  readonly spec: ServerSpec;
  /** What a replica is kept for; calls with the same key may use the same replicas. */
  readonly key: string;
  /** `exclusive` has the replica to itself, except for those who only listen. */
  readonly use: 'exclusive' | 'together' | 'listen';
  /** How many replicas a key may have. */
  readonly max: number;
  /** @param isFirst whether the key has no replica yet, not even one that is being opened. */
  readonly open: (isFirst: boolean) => Promise<Opened>;
  readonly signal: AbortSignal;
};

type Entry = Opened & {
  readonly key: string;
  calls: number;
  listeners: number;
  exclusive: boolean;
  cancelIdle: () => void;
};

/** Of several idle ones for the same calls only one is kept for long: the others take places from sessions. */
const SPARE_IDLE_MS = 30_000;
/** How soon a place is asked for again that somebody else has to give up first. */
const ASK_AGAIN_MS = 250;

/**
 * Handshaken replicas kept warm between calls, because a fresh container takes longer than clients wait. The first
 * free one is used, so that a client who sends one call after the other always meets the same process.
 */
export class WarmReplicas {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  readonly #opening = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws GantryError no_replica, replica_failed, cancelled */
  async lease(want: Want): Promise<Leased> {
    const until = this.#clock.now() + want.spec.timeouts.callTimeoutMs;
    for (;;) {
      if (want.signal.aborted) throw callerLeft();
      if (this.#closed) throw new GantryError('no_replica', 'The orchestrator is stopping.');
      this.#endReplaced();
      const free = this.#free(want);
      if (free !== undefined) return this.#take(free, want);
      const opening = this.#opening.get(want.key) ?? 0;
      const count = this.#of(want.key).filter(({ replica }) => !replica.fenced).length + opening;
      // Who shares waits for one that is just coming up.
      if (count < want.max && (want.use === 'exclusive' || opening === 0)) {
        const opened = await this.#open(want, count > 0);
        if (opened !== null) return this.#take(opened, want);
      }
      await this.#turn(want, until);
    }
  }

  /** Ends all, the idle and the busy. */
  close(why: string): void {
    this.#closed = true;
    for (const entry of [...this.#entries]) this.#end(entry, why);
    for (const wake of [...this.#waiting]) wake();
  }

  #of(key: string): Entry[] {
    return [...this.#entries].filter((entry) => entry.key === key);
  }

  #free({ key, use }: Want): Entry | undefined {
    return this.#of(key).find((entry) => {
      if (!entry.replica.available) return false;
      if (use === 'listen') return true;
      return !entry.exclusive && (use === 'together' || entry.calls === 0);
    });
  }

  /** @returns null when there is no room now, but somebody else's end will make some. */
  async #open(want: Want, othersPresent: boolean): Promise<Entry | null> {
    this.#opening.set(want.key, (this.#opening.get(want.key) ?? 0) + 1);
    try {
      return this.#enter(await want.open(!othersPresent), want);
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'no_replica')) throw error;
      // An idle one kept for other calls of this server gives way.
      if (this.#evict(want.spec.name) || othersPresent) return null;
      throw error;
    } finally {
      const left = (this.#opening.get(want.key) ?? 1) - 1;
      if (left === 0) this.#opening.delete(want.key);
      else this.#opening.set(want.key, left);
      this.#wakeAll();
    }
  }

  #enter(opened: Opened, { key }: Want): Entry {
    const entry: Entry = { ...opened, key, calls: 0, listeners: 0, exclusive: false, cancelIdle: () => {} };
    this.#entries.add(entry);
    void opened.replica.over.then(() => this.#forget(entry));
    return entry;
  }

  #take(entry: Entry, want: Want): Leased {
    const { use } = want;
    const count = use === 'listen' ? 'listeners' : 'calls';
    let isIn = false;
    const enter = (): void => {
      isIn = true;
      entry.cancelIdle();
      entry[count]++;
      if (use === 'exclusive') entry.exclusive = true;
    };
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      entry[count]--;
      if (use === 'exclusive') entry.exclusive = false;
      if (isIdle(entry)) this.#endWhenIdle(entry, want.spec.timeouts.sessionIdleMs);
      this.#endReplaced();
      this.#wakeAll();
    };
    enter();
    return {
      replica: entry.replica,
      pause: leave,
      resume: async (signal) => {
        if (isIn) return;
        await this.#untilFree(entry, { ...want, signal });
        enter();
      },
      release: leave,
      discard: (why) => {
        // Other calls are on it, or it was left to them: only this one is over.
        if (!isIn || entry.calls > 1 || use === 'listen') leave();
        else this.#end(entry, why);
      },
    };
  }

  /** A process that has died is free too: the call on it knows how it ended. */
  async #untilFree(entry: Entry, want: Want): Promise<void> {
    const until = this.#clock.now() + want.spec.timeouts.callTimeoutMs;
    while (this.#entries.has(entry) && (entry.exclusive || entry.calls > 0)) {
      if (want.signal.aborted) throw callerLeft();
      await this.#turn(want, until);
    }
  }

  #endWhenIdle(entry: Entry, idleMs: number): void {
    if (!this.#entries.has(entry)) return;
    const isSpare = this.#of(entry.key).some((other) => other !== entry);
    entry.cancelIdle = this.#clock.after(isSpare ? Math.min(idleMs, SPARE_IDLE_MS) : idleMs, () =>
      this.#end(entry, 'idle'),
    );
  }

  /** Another replica has taken the place of these, after a change of their server: they finish what is on them. */
  #endReplaced(): void {
    for (const entry of [...this.#entries]) {
      // A call that waits for its client has left its place and is in flight all the same.
      const isOver = isIdle(entry) && entry.replica.callsInFlight === 0;
      if (entry.replica.fenced && isOver) this.#end(entry, 'server changed');
    }
  }

  #evict(server: string): boolean {
    const idle = [...this.#entries].find(
      (entry) => isIdle(entry) && entry.end !== null && entry.replica.identity.server === server,
    );
    if (idle !== undefined) this.#end(idle, 'room was needed');
    return idle !== undefined;
  }

  #end(entry: Entry, why: string): void {
    this.#forget(entry);
    entry.end?.(why);
  }

  #forget(entry: Entry): void {
    entry.cancelIdle();
    if (this.#entries.delete(entry)) this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until something has changed. @throws GantryError no_replica when that takes too long */
  #turn({ spec, signal }: Want, until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const tooLong = (): void => {
        const message = `All replicas of server ${spec.name} for these calls are busy.`;
        reject(new GantryError('no_replica', message, { detail: { server: spec.name, retryAfterMs: 1000 } }));
        done(); // settled already: only the waiting ends
      };
      const leftMs = until - this.#clock.now();
      const cancel =
        leftMs > ASK_AGAIN_MS
          ? this.#clock.after(ASK_AGAIN_MS, () => done())
          : this.#clock.after(Math.max(0, leftMs), tooLong);
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function isIdle({ calls, listeners }: Entry): boolean {
  return calls + listeners === 0;
}

function callerLeft(): GantryError {
  return new GantryError('cancelled', 'The caller left while it waited.');
}
