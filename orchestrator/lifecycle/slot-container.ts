import type { ContainerExit } from '../engine/index.ts';
import type { CallBreaker } from '../replica/index.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import type { Running } from './running.ts';
import type { SlotOptions } from './slot-options.ts';

/** The container of one place in a pool; it stays between a stop and the next start. */
export class SlotContainer {
  readonly #options: SlotOptions;
  readonly #breaker: CallBreaker;
  #running: Running | null = null;
  #generation = 0;
  #lastExit: ContainerExit | null = null;
  /** How often this place was filled before. */
  restarts = 0;

  constructor(options: SlotOptions, breaker: CallBreaker) {
    this.#options = options;
    this.#breaker = breaker;
  }

  get running(): Running | null {
    return this.#running;
  }

  /** How the predecessor of the present process ended. */
  get lastExit(): ContainerExit | null {
    return this.#lastExit;
  }

  /** The stopped container again where there is one, else a new one. Throws as `Starter.start`. */
  async fill(image: PreparedImage): Promise<Running> {
    this.#running = await this.#revived();
    this.#running ??= await this.#made(image);
    return this.#running;
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
