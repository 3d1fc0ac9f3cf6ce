import type { ContainerFacts, Engine } from '../engine/index.ts';
import { type Clock, type Facts, messageOf } from '../kernel/index.ts';
import type { ContainerTable } from './container-table.ts';
import { EPOCH_LABEL } from './labels.ts';

/** A container that nobody holds may be one whose creation has not been answered yet. */
const GRACE_MS = 10_000;

export type ReconcilerOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly owner: string;
  readonly epoch: string;
  readonly table: ContainerTable;
  readonly everyMs: number;
  readonly onEngineError: (error: unknown) => void;
};

/**
 * Compares what the engine lists with what is held. What was taken over is held; other containers of another epoch are
 * removed at once, strays after a grace period; what is held and not listed is looked at by who holds it. One that
 * cannot be removed is told as trouble and tried again with the next comparison. Without an epoch it is none of
 * ours: steps of builds and helpers inherit the owner from their image. Of those the first comparison removes what has
 * ended: nothing is being built yet, so a build was cut off.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #strayedSince = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #closed = false;
  #hasCompared = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** One comparison. @throws GantryError engine_unavailable */
  async once(): Promise<void> {
    const { engine, owner, table, clock } = this.#options;
    // From before the list: one held since then may have been started after the list was made.
    const heldBefore = table.all().filter((running) => running.isStarted);
    const listed = await engine.list(owner);
    const states = new Map(listed.map((facts) => [facts.id, facts.state]));
    for (const running of heldBefore) {
      const state = states.get(running.containerId) ?? 'exited';
      if (state === 'exited') running.sawDown();
    }
    const isOurs = ({ labels, state }: ContainerFacts): boolean =>
      EPOCH_LABEL in labels || (state === 'exited' && !this.#hasCompared);
    const strays = listed.filter((facts) => !table.has(facts.id) && isOurs(facts));
    this.#hasCompared = true;
    for (const id of this.#strayedSince.keys()) {
      if (!strays.some((facts) => facts.id === id)) this.#strayedSince.delete(id);
    }
    const due = strays.filter((facts) => this.#isDue(facts, clock.now()));
    await Promise.all(due.map((facts) => this.#remove(facts)));
  }

  /** Goes on by itself every `everyMs`, and sooner while a stray waits for its grace period to end. */
  run(): void {
    this.#cancelTimer();
    if (this.#closed) return;
    const delayMs = this.#strayedSince.size > 0 ? GRACE_MS : this.#options.everyMs;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.#tick());
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  async #tick(): Promise<void> {
    try {
      await this.once();
    } catch (error) {
      this.#options.onEngineError(error);
      this.#trouble('reconcile', error);
    }
    this.run();
  }

  #trouble(where: string, error: unknown): void {
    this.#options.facts.state({ type: 'trouble', where, message: messageOf(error) });
  }

  #isDue(facts: ContainerFacts, now: number): boolean {
    if (facts.labels[EPOCH_LABEL] !== this.#options.epoch) return true;
    const since = this.#strayedSince.get(facts.id) ?? now;
    this.#strayedSince.set(facts.id, since);
    return now - since >= GRACE_MS;
  }

  async #remove(facts: ContainerFacts): Promise<void> {
    const foreign = facts.labels[EPOCH_LABEL] !== this.#options.epoch;
    try {
      await this.#options.engine.remove(facts.id);
    } catch (error) {
      this.#options.onEngineError(error);
      this.#trouble(`leftover container ${facts.name}`, error);
      return;
    }
    this.#strayedSince.delete(facts.id);
    const why = foreign ? 'left by an earlier start' : 'stray';
    this.#options.facts.state({ type: 'container.removed', containerId: facts.id, why });
  }
}
