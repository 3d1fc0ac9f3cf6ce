import type { ServerSpec } from '../kernel/index.ts';
import type { EngineUp, EngineWatch } from './engine-watch.ts';
import { startGates } from './gate.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { ALONE, type MeshOptions } from './mesh-options.ts';
import { placesOf } from './remote/places.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { PoolPlace } from './revisions.ts';
import { ServerPool } from './server-pool.ts';
import type { StartOrder } from './start-order.ts';
import type { Starter, Starts } from './starter.ts';

export type PoolMakerOptions = MeshOptions & {
  readonly starter: Starter;
  /** Servers elsewhere: who connects to them, and the connections. */
  readonly remote: { readonly starter: Starts; readonly connections: ReplicaHost };
  readonly engineWatch: EngineWatch;
  readonly order: StartOrder;
  /** The image of the pool that users see is there. */
  readonly onPrepared: (server: string, tag: string) => void;
};

/** Makes the pools of all servers, with what they share. */
export class PoolMaker {
  readonly #options: PoolMakerOptions;
  readonly #gates = startGates();

  constructor(options: PoolMakerOptions) {
    this.#options = options;
  }

  /** A pool that fills itself. Its image is made at once; its replicas wait for the servers it depends on. */
  make(spec: ServerSpec, { waits, ...place }: PoolPlace): ServerPool {
    const { name } = spec;
    const { order, onPrepared, eras: eraMemory } = this.#options;
    let isFree = !waits;
    const elsewhere = spec.source.kind === 'url' ? this.#elsewhere() : null;
    const prepareImage = async (wanted: ServerSpec): Promise<PreparedImage> => {
      if (elsewhere !== null) return urlAsImage(wanted);
      const prepared = await this.#options.prepareImage(wanted);
      if (!isFree) await order.turn(name);
      isFree = true;
      if (place.isShown()) onPrepared(name, prepared.tag);
      return prepared;
    };
    return new ServerPool({
      ...ALONE,
      ...this.#options,
      ...place,
      ...elsewhere,
      spec,
      eraMemory,
      prepareImage,
      obstacle: () => (isFree ? null : order.obstacleOf(name)),
      ...this.#gates,
    });
  }

  /** A server elsewhere needs no engine. */
  #elsewhere(): { starter: Starts; engine: ReplicaHost; engineWatch: EngineUp } {
    const { starter, connections: engine } = this.#options.remote;
    return { starter, engine, engineWatch: { up: Promise.resolve(), report: () => {} } };
  }
}

/** What eras are remembered by, and nothing else: there is no image. */
function urlAsImage(spec: ServerSpec): PreparedImage {
  return { tag: placesOf(spec)[0]?.url ?? '', command: null, resolved: null, hasBridge: false };
}
