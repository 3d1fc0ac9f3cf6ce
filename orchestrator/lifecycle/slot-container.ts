import type { ContainerExit } from '../engine/index.ts';
import type { Reason } from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { type GreetOptions, greetAndProve } from './greet.ts';
import { Heirs } from './heirs.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { reconnect } from './reconnect.ts';
import type { ReplicaRecord } from './replica-record.ts';
import type { RestartPlan } from './restart-plan.ts';
import type { Running } from './running.ts';
import type { SlotOptions } from './slot-options.ts';
import type { Spare } from './spare.ts';

/** The container of one place in a pool; it stays between a stop and the next start. */
export class SlotContainer {
  readonly #options: SlotOptions;
  readonly #breaker: Breaker;
  readonly #heirs: Heirs;
  #running: Running | null = null;
  /** It came as a spare: its process runs already and waits to be greeted. */
  #isHeir = false;
  #generation = 0;
  #record: { readonly containerId: string; readonly record: ReplicaRecord } | null = null;
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

  /** The stopped container again where there is one, else a spare, else a new one. Throws as `Starter.start`. */
  async fill(image: PreparedImage): Promise<Running> {
    this.#running = await this.#revived();
    this.#running ??= await this.#leftBehind(image);
    this.#running ??= this.#spare();
    this.#running ??= await this.#made(image);
    return this.#running;
  }

  /** What is known of the process that an earlier start of the orchestrator left in this place; null for another one. */
  get record(): ReplicaRecord | null {
    return this.#running?.containerId === this.#record?.containerId ? (this.#record?.record ?? null) : null;
  }

  /** Brings its process to serve. @returns null, or why it does not. Rejects only where the engine does. */
  greet(one: Running, options: GreetOptions): Promise<Reason | null> {
    const { record } = this;
    if (record !== null) return reconnect(one, record, options.clock);
    return greetAndProve(one, this.#breaker, options);
  }

  /** A spare that has taken the place and is still to be greeted; null where there is none. */
  takeHeir(): Running | null {
    const heir = this.#isHeir ? this.#running : null;
    this.#isHeir = false;
    return heir;
  }

  /**
   * Whether a spare takes the place of the one that is just ending.
   * @param readyForMs how long that one had been ready
   */
  isInherited(readyForMs: number): boolean {
    if (this.#running === null) return false;
    const { facts, spec, id } = this.#options;
    const heir = this.#heirs.follow(this.#running, readyForMs, spec().timeouts.readyMs);
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

  async #leftBehind(image: PreparedImage): Promise<Running | null> {
    const { takeover, starter, engine, engineWatch, id } = this.#options;
    const candidate = takeover.take(id);
    if (candidate === null) return null;
    const { facts, record } = candidate;
    try {
      // A name may lead to another image by now.
      if ((await engine.images.inspect(image.tag))?.id === facts.imageId) {
        const running = await starter.reopen(candidate, this.#breaker);
        this.#record = { containerId: facts.id, record };
        this.#generation = record.generation;
        this.restarts = record.restarts;
        takeover.found(id, running.replica);
        return running;
      }
    } catch (error) {
      engineWatch.report(error);
    }
    await takeover.discard(candidate);
    return null;
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
