import type { Clock, Facts, ServerSpec, ToolView } from '../kernel/index.ts';
import type { Handshake, Replica } from '../replica/index.ts';
import { mayEject, type Rest } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import type { EngineUp } from './engine-watch.ts';
import type { EraFinder } from './eras/era-finder.ts';
import type { Gate } from './gate.ts';
import { IdleLadder } from './idle.ts';
import type { ImageMemo } from './image-memo.ts';
import type { KnownOffers } from './known-offers.ts';
import { replicaNumber } from './labels.ts';
import { poolWithout } from './pool-now.ts';
import { hasMoved, placeNumbers } from './remote/places.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { ReplicaRecord } from './replica-record.ts';
import type { Running } from './running.ts';
import { Scaler } from './scaler.ts';
import type { PlaceHistory, ServerHistory } from './server-history.ts';
import { Slot } from './slot.ts';
import type { SlotPhase } from './slot-phase.ts';
import type { Spare } from './spare.ts';
import { StandingPlaces } from './standing-places.ts';
import type { Starts } from './starter.ts';
import type { Takeover } from './takeover.ts';

export type StandingOptions = {
  readonly spec: () => ServerSpec;
  /** How many there are to be at first. */
  readonly desired: number;
  readonly image: ImageMemo;
  readonly eras: EraFinder;
  /** See `PoolOptions`. */
  readonly revision: number;
  readonly isShown: () => boolean;
  readonly starter: Starts;
  readonly standingGate: Gate;
  readonly engineWatch: EngineUp;
  readonly engine: ReplicaHost;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
  /** What the server had been through in an earlier process; null where nobody knows. */
  readonly earlier: ServerHistory | null;
  /** Calls that wait for a replica of a server. */
  readonly queued: (server: string) => number;
  /** Whether a stream or a subscription wants to hear of a server's standing replicas. */
  readonly inUse: (server: string) => boolean;
  /** A spare for a place whose replica has died; null where there is none. */
  readonly inherit: () => Spare | null;
  /** Whose data standing replicas hold; null for a shared one. */
  readonly principal: () => string | null;
  /** False while the server is stopped. */
  readonly accepting: () => boolean;
  readonly onChange: () => void;
  readonly offers: KnownOffers;
  readonly onClosed: (slot: Slot) => void;
  readonly takeover: Takeover;
  /** See `SlotOptions`. */
  readonly onUp: (slot: Slot, running: Running, record: ReplicaRecord | null) => void;
};

/** What is known of replicas that rest. */
export type Asleep = { readonly handshake: Handshake | null; readonly tools: readonly ToolView[] };

/** The standing replicas of a server: how many there are, and whether they are awake. */
export class Standing {
  readonly #options: StandingOptions;
  readonly #places: StandingPlaces;
  readonly #idle: IdleLadder;
  readonly #scaler: Scaler;
  /** What the first to take each place goes on with. */
  readonly #past: Map<string, PlaceHistory>;

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#past = new Map(Object.entries(options.earlier?.places ?? {}));
    const { spec, desired, revision, accepting, onClosed, facts, isShown } = options;
    const { name, replicas } = spec();
    const makeSlot = (id: string): Slot => this.#newSlot(id);
    const numbers = (): readonly number[] | null => placeNumbers(spec());
    this.#places = new StandingPlaces({
      ...{ name, revision, desired, numbers, makeSlot, onClosed },
      isRunning: accepting,
    });
    const slots = (): readonly Slot[] => this.slots;
    // One that is to take over, or only ends, is no more left to sleep than one that somebody listens to.
    const inUse = (): boolean => !isShown() || options.inUse(name);
    this.#idle = new IdleLadder({ ...options, slots, inUse });
    this.#scaler = new Scaler({
      ...options,
      load: () => this.#load,
      desired: () => this.desired,
      scale: (to, why) => inBackground(facts, `server ${name}`, this.#scale(to, why)),
    });
    if (desired !== replicas) this.#scaler.pin();
    if (accepting()) this.fill();
  }

  get slots(): readonly Slot[] {
    return this.#places.all;
  }

  get phases(): readonly SlotPhase[] {
    return this.slots.map(({ phase }) => phase);
  }

  get desired(): number {
    return this.#places.desired;
  }

  get rest(): Rest {
    return this.#idle.rest;
  }

  /** Those whose process runs, in whatever state. */
  get replicas(): readonly Replica[] {
    const replicas: Replica[] = []; // asked for with every call
    for (const { phase } of this.slots) if (phase.name === 'up') replicas.push(phase.running.replica);
    return replicas;
  }

  /** Makes the places that are missing. */
  fill(): void {
    this.#places.fill();
  }

  /** As a user asks. Resolves when replicas over the number are gone; new ones come up by themselves. */
  async scale(replicas: number): Promise<void> {
    // The configured number is no wish of its own: from there the load decides again.
    if (replicas === this.#options.spec().replicas) this.#scaler.unpin();
    else this.#scaler.pin();
    await this.#scale(replicas, 'asked');
  }

  /** The definition has changed in what no container is made of. */
  adopt(before: ServerSpec): void {
    const { name, replicas: min, scaling, source, timeouts } = this.#options.spec();
    this.#idle.arm();
    for (const slot of this.slots) {
      if (hasMoved(slot.id, before, this.#options.spec())) void slot.tell('renew', timeouts.drainMs);
    }
    const isSameSize = min === before.replicas && scaling.max === before.scaling.max;
    if (isSameSize && source.kind !== 'url') return this.#scaler.arm();
    this.#scaler.unpin();
    const to = Math.min(scaling.max, Math.max(min, this.desired));
    inBackground(this.#options.facts, `server ${name}`, this.#scale(to, 'asked'));
  }

  /** @param tools as they were listed last. @returns null while they are awake */
  asleep(tools: () => readonly ToolView[]): Asleep | null {
    if (this.rest === 'awake') return null;
    const [handshake = null] = this.slots.flatMap(({ running }) => running?.replica.handshake ?? []);
    return { handshake, tools: tools() };
  }

  /** Somebody is about to call one. Null while they are awake. */
  wake(): Promise<void> | null {
    return this.#idle.wake();
  }

  /** A place has changed. */
  changed(): void {
    this.#idle.changed();
  }

  async closeAll(drainMs: number): Promise<void> {
    await this.#places.closeAll(drainMs);
  }

  /** No more timers. */
  close(): void {
    this.#idle.close();
    this.#scaler.close();
  }

  get #load(): number {
    const { queued, spec } = this.#options;
    return this.replicas.reduce((sum, { callsInFlight }) => sum + callsInFlight, queued(spec().name));
  }

  async #scale(to: number, why: 'load' | 'quiet' | 'asked'): Promise<void> {
    const { name: server, timeouts } = this.#options.spec();
    const from = this.desired;
    if (to !== from) this.#options.facts.state({ type: 'pool.scaled', server, from, to, why });
    await this.#places.scale(to, timeouts.drainMs);
  }

  #newSlot(id: string): Slot {
    const { standingGate: gate, inherit, spec, principal } = this.#options;
    const number = String(replicaNumber(id));
    const past = this.#past.get(number) ?? null;
    this.#past.delete(number);
    const slot: Slot = new Slot({
      ...this.#options,
      id,
      past,
      onUp: (running, record) => this.#options.onUp(slot, running, record),
      gate,
      principal: principal(),
      inherit,
      mayEject: (own) => spec().sharing !== 'shared' || mayEject(poolWithout(own, this.slots)),
    });
    return slot;
  }
}
