import { replicaId, replicaNumber } from './labels.ts';
import type { Slot } from './slot.ts';

export type StandingPlacesOptions = {
  /** Places are numbered within these two (`replicaId`). */
  readonly name: string;
  readonly revision: number;
  readonly desired: number;
  /** The numbers that places have to have, where it is not just how many there are that counts; else null. */
  readonly numbers: () => readonly number[] | null;
  readonly makeSlot: (id: string) => Slot;
  /** A place is over. */
  readonly onClosed: (slot: Slot) => void;
  /** False while the server is stopped: then no place is made. */
  readonly isRunning: () => boolean;
};

/** The places of a pool, as many as are desired. */
export class StandingPlaces {
  readonly #options: StandingPlacesOptions;
  readonly #closing = new Set<Slot>();
  #slots: Slot[] = [];
  #desired: number;

  constructor(options: StandingPlacesOptions) {
    this.#options = options;
    this.#desired = options.desired;
  }

  get all(): readonly Slot[] {
    return this.#slots;
  }

  get desired(): number {
    return this.#desired;
  }

  /** Makes those that are missing. */
  fill(): void {
    // A slot that is over leaves its number to the next one.
    const numbers = this.#options.numbers();
    if (numbers === null)
      for (let number = 1; this.#slots.length < this.#desired; number++) this.#make(number);
    else for (const number of numbers) this.#make(number);
  }

  /** Resolves when places over the number are gone; new ones come up by themselves. */
  async scale(desired: number, drainMs: number): Promise<void> {
    this.#desired = desired;
    if (!this.#options.isRunning()) return;
    const kept = this.#slots.filter((slot) => !this.#closing.has(slot));
    const numbers = this.#options.numbers();
    const over =
      numbers === null
        ? kept.sort(leastUseful).slice(0, Math.max(0, kept.length - desired))
        : kept.filter(({ id }) => !numbers.includes(replicaNumber(id)));
    this.fill();
    await Promise.all(over.map((slot) => this.#close(slot, drainMs)));
  }

  async closeAll(drainMs: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#close(slot, drainMs)));
  }

  #make(number: number): void {
    const { name, revision, makeSlot } = this.#options;
    const id = replicaId(name, revision, number);
    if (!this.#slots.some((slot) => slot.id === id)) this.#slots.push(makeSlot(id));
  }

  async #close(slot: Slot, drainMs: number): Promise<void> {
    this.#closing.add(slot);
    await slot.tell('close', drainMs);
    this.#closing.delete(slot);
    this.#options.onClosed(slot);
    this.#slots = this.#slots.filter((other) => other !== slot);
    if (this.#options.isRunning()) this.fill(); // a start may have come meanwhile
  }
}

/** Ended first: places without a process, then those with the fewest calls, then the last ones. */
function leastUseful(a: Slot, b: Slot): number {
  const isUp = (slot: Slot): number => (slot.phase.name === 'up' ? 1 : 0);
  const calls = (slot: Slot): number => slot.running?.replica.callsInFlight ?? 0;
  return isUp(a) - isUp(b) || calls(a) - calls(b) || replicaNumber(b.id) - replicaNumber(a.id);
}
