import { type Clock, type Facts, messageOf, type ServerSpec } from '../kernel/index.ts';
import { isDeeper, judgeIdle, type Rest } from '../resilience/index.ts';
import type { Running } from './running.ts';
import type { Slot } from './slot.ts';

export type IdleOptions = {
  readonly spec: () => ServerSpec;
  readonly slots: () => readonly Slot[];
  /** Whether a stream or a subscription is open that wants to hear of the standing replicas. */
  readonly inUse: () => boolean;
  readonly clock: Clock;
  readonly facts: Facts;
};

/** A user's pause, a start, a failure: how soon it is looked at again whether that is over. */
const LOOK_AGAIN_MS = 5000;

/**
 * The idle ladder of a server's standing replicas: all go down together, paused first, then stopped, and a call wakes
 * all. What a user paused or stopped is left alone, as is a pool that is not whole.
 */
export class IdleLadder {
  readonly #options: IdleOptions;
  #usedAt: number;
  #cancelTimer = (): void => {};
  /** The step that is being taken; a call waits for its end. */
  #step: Promise<void> = Promise.resolve();
  #waking: Promise<void> | null = null;
  readonly #watchers = new Set<() => void>();
  #closed = false;

  constructor(options: IdleOptions) {
    this.#options = options;
    this.#usedAt = options.clock.now();
    // In a turn of its own: who asks `inUse` now may not be complete yet.
    queueMicrotask(() => this.arm());
  }

  get rest(): Rest {
    const slots = this.#options.slots();
    if (slots.length === 0 || !slots.every((slot) => slot.running?.isResting === true)) return 'awake';
    return slots.some((slot) => slot.phase.name === 'up') ? 'paused' : 'stopped';
  }

  /** The definition has changed, or something has happened: counts from now. */
  arm(): void {
    this.#cancelTimer();
    if (this.#closed) return;
    const { pauseAfterMs, stopAfterMs } = this.#options.spec().idle;
    if (pauseAfterMs === null && stopAfterMs === null) return;
    const { rest, askAgainMs } = judgeIdle(this.#facts());
    // A step that is due already was not possible a moment ago, or has just been configured.
    const delayMs = isDeeper(rest, this.rest) ? LOOK_AGAIN_MS : askAgainMs;
    if (delayMs !== null) this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#look());
  }

  /**
   * Somebody wants to call.
   * @returns null while the replicas are awake; else a promise that settles when one of them can be called, or when
   *   none will come up by itself
   */
  wake(): Promise<void> | null {
    this.#usedAt = this.#options.clock.now();
    if (this.rest === 'awake') return this.#waking;
    this.#waking ??= this.#wake().finally(() => {
      this.#waking = null;
      this.arm();
    });
    return this.#waking;
  }

  /** A slot has changed. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  #facts() {
    const { spec, slots, inUse, clock } = this.#options;
    const replicas = slots().flatMap((slot) => (slot.running === null ? [] : [slot.running.replica]));
    const unusedMs = Math.min(clock.now() - this.#usedAt, ...replicas.map(({ idleMs }) => idleMs));
    const busy = replicas.some(({ callsInFlight }) => callsInFlight > 0) || inUse();
    return { ...spec().idle, busy, idleForMs: unusedMs, rest: this.rest };
  }

  #look(): void {
    const facts = this.#facts();
    if (facts.busy) this.#usedAt = this.#options.clock.now();
    const { rest } = judgeIdle(facts);
    if (rest === 'awake' || !isDeeper(rest, this.rest) || !this.#mayRest) return this.arm();
    this.#step = this.#descend(rest).finally(() => this.arm());
  }

  /** All are there and ready, or rest already. */
  get #mayRest(): boolean {
    return this.#options
      .slots()
      .every(
        ({ phase, running }) =>
          running !== null &&
          (running.isResting || (phase.name === 'up' && running.replica.state.name === 'ready')),
      );
  }

  /** Never rejects. */
  async #descend(rest: 'paused' | 'stopped'): Promise<void> {
    const up = this.#options.slots().filter((slot) => slot.phase.name === 'up');
    await Promise.all(
      up.map((slot) => this.#tried(slot, rest === 'paused' ? this.#pause(slot) : this.#stop(slot))),
    );
    // What came through in the moment before is waiting in a process that does not run.
    if (this.#facts().busy && this.rest === 'paused') await this.#wakeAll();
  }

  async #pause(slot: Slot): Promise<void> {
    if (slot.running === null) return;
    await slot.running.rest();
    this.#tell(slot.running, 'paused');
  }

  async #stop(slot: Slot): Promise<void> {
    const { running } = slot;
    running?.restStopped();
    await slot.tell('stop', this.#options.spec().timeouts.drainMs);
    if (running !== null) this.#tell(running, 'stopped');
  }

  async #wake(): Promise<void> {
    await this.#step;
    const first = this.#firstAvailable();
    this.#step = this.#wakeAll();
    await first;
  }

  /** Never rejects. */
  async #wakeAll(): Promise<void> {
    const resting = this.#options.slots().filter((slot) => slot.running?.isResting === true);
    await Promise.all(resting.map((slot) => this.#tried(slot, this.#rouse(slot))));
    this.changed();
  }

  async #rouse(slot: Slot): Promise<void> {
    const { running } = slot;
    if (running === null) return;
    if (slot.phase.name === 'up') {
      await running.resume();
      this.#tell(running, 'resumed');
      this.changed();
    } else {
      await slot.tell('start', 0);
      this.#tell(running, 'started');
    }
  }

  /** Settles when one takes calls, or none is on its way up any more. */
  #firstAvailable(): Promise<void> {
    const { slots, spec, clock } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#watchers.delete(look);
        resolve();
      };
      const look = (): void => {
        const states = slots().map(({ phase, running }) => ({ phase: phase.name, running }));
        if (states.some(({ phase, running }) => phase === 'up' && running?.replica.available === true))
          done();
        else if (states.every(({ phase }) => phase === 'waiting' || phase === 'closed')) done();
      };
      const cancel = clock.after(spec().timeouts.readyMs, done);
      this.#watchers.add(look);
      look();
    });
  }

  /** A step that fails leaves the replica to whoever repairs it. */
  async #tried(slot: Slot, step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      const where = `idle replica ${slot.id}`;
      this.#options.facts.state({ type: 'trouble', where, message: messageOf(error) });
    }
  }

  #tell({ replica }: Running, step: 'paused' | 'stopped' | 'resumed' | 'started'): void {
    const { server, id } = replica.identity;
    this.#options.facts.state({ type: 'replica.rest', server, replica: id, step });
  }
}
