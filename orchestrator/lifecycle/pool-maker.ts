import type { ServerSpec } from '../kernel/index.ts';
import type { EngineWatch } from './engine-watch.ts';
import { Gate } from './gate.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { NO_MEMORY } from './mesh-memory.ts';
import type { MeshOptions } from './mesh-options.ts';
import type { PoolPlace } from './revisions.ts';
import { ServerPool } from './server-pool.ts';
import type { StartOrder } from './start-order.ts';
import type { Starter } from './starter.ts';

/** Standing replicas come up three at a time, sessions four: more would only slow each other down on two cores. */
const PARALLEL_STARTS = 3;
const PARALLEL_SESSION_STARTS = 4;

export type PoolMakerOptions = MeshOptions & {
  readonly starter: Starter;
  readonly engineWatch: EngineWatch;
  readonly order: StartOrder;
  /** The image of the pool that users see is there. */
  readonly onPrepared: (server: string, tag: string) => void;
};

/** Makes the pools of all servers, with what they share. */
export class PoolMaker {
  readonly #options: PoolMakerOptions;
  readonly #standingGate = new Gate(PARALLEL_STARTS);
  readonly #sessionGate = new Gate(PARALLEL_SESSION_STARTS);

  constructor(options: PoolMakerOptions) {
    this.#options = options;
  }

  /** A pool that fills itself. Its image is made at once; its replicas wait for the servers it depends on. */
  make(spec: ServerSpec, { waits, ...place }: PoolPlace): ServerPool {
    const { name } = spec;
    const { order, onPrepared, eras: eraMemory, memory = NO_MEMORY } = this.#options;
    let isFree = !waits;
    const prepareImage = async (wanted: ServerSpec): Promise<PreparedImage> => {
      const prepared = await this.#options.prepareImage(wanted);
      if (!isFree) await order.turn(name);
      isFree = true;
      if (place.isShown()) onPrepared(name, prepared.tag);
      return prepared;
    };
    return new ServerPool({
      ...this.#options,
      ...place,
      spec,
      memory,
      eraMemory,
      prepareImage,
      obstacle: () => (isFree ? null : order.obstacleOf(name)),
      standingGate: this.#standingGate,
      sessionGate: this.#sessionGate,
    });
  }
}
