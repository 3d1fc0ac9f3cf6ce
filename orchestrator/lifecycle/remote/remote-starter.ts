import type { ContainerFacts } from '../../engine/index.ts';
import {
  type Clock,
  type Facts,
  GantryError,
  type RemotePlace,
  reason,
  shortId,
  sourceHeaders,
} from '../../kernel/index.ts';
import { HttpChannel, type PinnedAddress, Replica } from '../../replica/index.ts';
import { replicaNumber } from '../labels.ts';
import { Running } from '../running.ts';
import { StartFailure } from '../start-failure.ts';
import type { StartRequest, Starts } from '../starter.ts';
import { Connections } from './connections.ts';
import { placesOf } from './places.ts';

/** Resolves and checks the address of a URL. @throws GantryError address_not_allowed */
export type Reach = (url: URL) => Promise<PinnedAddress>;

export type RemoteStarterOptions = {
  readonly clock: Clock;
  readonly facts: Facts;
  readonly maxLineBytes: number;
  readonly connections: Connections;
  readonly reach: Reach;
};

/** What `Starter` is for containers: makes the connection that a replica of a server elsewhere is. */
export class RemoteStarter implements Starts {
  readonly #options: RemoteStarterOptions;

  constructor(options: RemoteStarterOptions) {
    this.#options = options;
  }

  /**
   * Resolves and checks the address anew each time; nothing is sent yet, so nothing is known of who is there.
   * @throws StartFailure
   */
  async start(request: StartRequest): Promise<Running> {
    const { clock, maxLineBytes, connections, facts: stated } = this.#options;
    const { spec, replicaId: id, generation, restarts, heldBy, breaker } = request;
    const place = this.#placeOf(request);
    const url = new URL(place.url);
    const pinned = await this.#pinned(url);
    // A client's own session holds what it has set there; elsewhere nobody misses what a new one does not have.
    const renews = spec.sharing === 'shared' || spec.sharing === 'call';
    const headers = sourceHeaders(spec.source);
    const channel = new HttpChannel({ url, pinned, headers, clock, maxLineBytes, renews });
    const startedAt = new Date(clock.now()).toISOString();
    const facts = factsOf(`http-${shortId()}${shortId()}`, place.url, startedAt);
    const identity = {
      server: spec.name,
      id,
      generation,
      restarts,
      heldBy,
      containerId: facts.id,
      startedAt,
    };
    const running = new Running({
      replica: new Replica({ identity, channel, facts: stated, clock, breaker }),
      facts,
      engine: connections,
      clock,
      stated,
      onEngineError: () => {}, // there is no engine in it
      isLeft: () => false,
      onRemoved: () => {},
    });
    connections.add(facts.id, { url: place.url, channel, facts });
    void channel.closed.then(() => running.sawDown());
    running.replica.watch(({ name }) => {
      if (name === 'ready') connections.works(place.url);
    });
    if (heldBy === 'spare') running.replica.waitForHolder();
    running.sawStarted();
    return running;
  }

  /** A connection is not kept over its end. @throws StartFailure always: whoever asked makes a new one */
  async revive(): Promise<Running> {
    throw new StartFailure(reason('unreachable', 'A connection is made anew, never continued.'));
  }

  /** A standing place has its URL; whoever else connects takes the one with the fewest connections. */
  #placeOf({ spec, replicaId, heldBy }: StartRequest): RemotePlace {
    const places = placesOf(spec);
    const number = heldBy === 'pool' ? replicaNumber(replicaId) : null;
    const own = places.find((place) => place.number === number);
    const place = own ?? this.#options.connections.leastUsed(places);
    if (place !== undefined) return place;
    throw new StartFailure(reason('unreachable', `Server ${spec.name} has no URL any more.`));
  }

  async #pinned(url: URL): Promise<PinnedAddress> {
    try {
      return await this.#options.reach(url);
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'address_not_allowed')) throw error;
      throw new StartFailure(reason('address_not_allowed', error.message), { cause: error });
    }
  }
}

/** A connection in the words of containers; nothing of it is isolated here, since nothing of it is here. */
function factsOf(id: string, url: string, startedAt: string): ContainerFacts {
  return {
    id,
    name: url,
    image: '',
    imageId: '',
    labels: {},
    state: 'running',
    startedAt,
    exit: null,
    limits: { memoryBytes: 0, memorySwapBytes: 0, cpus: 0, pids: 0, nofile: 0 },
    isolation: {
      network: '',
      readOnlyRoot: false,
      user: '',
      capAdd: [],
      capDrop: [],
      noNewPrivileges: false,
      logDriver: '',
      ipcMode: '',
      cgroupnsMode: '',
      init: false,
      privileged: false,
      binds: [],
      seccomp: null,
      runtime: '',
    },
  };
}

/** For `PoolMaker`: who connects, and the connections. */
export function remoteParts(options: {
  readonly clock: Clock;
  readonly facts: Facts;
  readonly maxLineBytes: number;
  readonly reach?: Reach;
}): { starter: RemoteStarter; connections: Connections } {
  const connections = new Connections();
  const { reach = nowhere } = options;
  return { starter: new RemoteStarter({ ...options, connections, reach }), connections };
}

const nowhere: Reach = (url) => {
  const message = `${url.host} is not listed in registry.allowedAddresses.`;
  return Promise.reject(new GantryError('address_not_allowed', message));
};
