import type { ContainerExit } from '../engine/index.ts';
import type { Reason } from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { greetAndProve } from './greet.ts';
import { Heirs } from './heirs.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import type { Inbox } from './inbox.ts';
import type { ReadyTimes, RestartPlan } from './restart-plan.ts';
import type { Running } from './running.ts';
import type { SlotOptions } from './slot-options.ts';
import type { Spare } from './spare.ts';
import { settledWithin } from './waits.ts';

/** A start holds its place at the gate until it is ready, or for so long: a server that hangs must not hold up others. */
const GATE_HOLD_MS = 5000;

/** The container of one place in a pool; it stays between a stop and the next start. */
export class SlotContainer {
  readonly #options: SlotOptions;
  readonly #breaker: Breaker;
  readonly #heirs: Heirs;
  #running: Running | null = null;
  /** It came as a spare: its process runs already and waits to be greeted. */
  #isHeir = false;
  #generation = 0;
  #lastExit: ContainerExit | null = null;
  /** How often this place was filled before. */
  restarts = 0;

  constructor(options: SlotOptions, breaker: Breaker, plan: RestartPlan) {
    this.#options = options;
    this.#breaker = breaker;
    this.#heirs = new Heirs({
      ...options,
      plan,
      onExit: (exit) => {
        this.#lastExit = exit;
      },
    });
  }

  get running(): Running | null {
    return this.#running;
  }

  /** How the predecessor of the present process ended. */
  get lastExit(): ContainerExit | null {
    return this.#lastExit;
  }

  /**
   * Fills the place and greets who is in it.
   * @returns why it is not ready; null when it is, or when a command came first. Throws as `Starter.start`.
   */
  async comeUp(image: PreparedImage, inbox: Inbox): Promise<Reason | null> {
    const { gate, clock, spec, eras } = this.#options;
    const options = { spec: spec(), image, eras, clock };
    const greetOne = (one: Running): Promise<Reason | null> => greetAndProve(one, this.#breaker, options);
    const heir = this.#takeHeir();
    if (heir !== null) return Promise.race([greetOne(heir), inbox.arrived]);
    const started = await gate.run(async () => {
      if (!inbox.isEmpty) return null;
      const greeting = greetOne(await this.#fill(image));
      await settledWithin(clock, GATE_HOLD_MS, Promise.race([greeting, inbox.arrived]));
      return { greeting };
    });
    return started === null ? null : Promise.race([started.greeting, inbox.arrived]);
  }

  /**
   * Whether a spare takes the place of the one that is just ending.
   * @param ready how long that one had been
   */
  isInherited(ready: ReadyTimes): boolean {
    if (this.#running === null) return false;
    const { facts, spec, id } = this.#options;
    const heir = this.#heirs.follow(this.#running, ready);
    if (heir === null) return false;
    this.restarts++;
    facts.state({ type: 'replica.restart', server: spec().name, replica: id, delayMs: 0 });
    this.#running = this.#adopted(heir);
    this.#isHeir = true;
    return true;
  }

  /** The end of the place. Resolves when the containers of all who were in it are gone. */
  async close(): Promise<void> {
    await this.clear('closed');
    await this.#heirs.buried;
  }

  /** Its process is over: how it ended is kept. */
  async noteExit(): Promise<void> {
    if (this.#running !== null) this.#lastExit = (await this.#running.ended).exit;
  }

  async clear(why: string): Promise<void> {
    await this.#running?.remove(why);
    this.#running = null;
  }

  /** The stopped container again where there is one, else a spare, else a new one. */
  async #fill(image: PreparedImage): Promise<Running> {
    this.#running = await this.#revived();
    this.#running ??= this.#spare();
    this.#running ??= await this.#made(image);
    return this.#running;
  }

  /** A spare that has taken the place and is still to be greeted; null where there is none. */
  #takeHeir(): Running | null {
    const heir = this.#isHeir ? this.#running : null;
    this.#isHeir = false;
    return heir;
  }

  async #revived(): Promise<Running | null> {
    if (this.#running === null) return null;
    try {
      return await this.#options.starter.revive(this.#running, this.restarts, this.#breaker);
    } catch (error) {
      this.#options.engineWatch.report(error);
      await this.clear('could not be started again');
      return null;
    }
  }

  #spare(): Running | null {
    const spare = this.#options.inherit();
    return spare === null ? null : this.#adopted(spare);
  }

  /** Its calls count for this place from now on. */
  #adopted({ running }: Spare): Running {
    running.replica.handTo('pool', this.restarts, this.#breaker);
    return running;
  }

  #made(image: PreparedImage): Promise<Running> {
    const { starter, spec, principal, id } = this.#options;
    this.#generation++;
    return starter.start({
      spec: spec(),
      image,
      replicaId: id,
      generation: this.#generation,
      restarts: this.restarts,
      heldBy: 'pool',
      principal,
      breaker: this.#breaker,
    });
  }
}
