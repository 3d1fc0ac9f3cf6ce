import type { ContainerFacts } from '../../engine/index.ts';
import type { Channel } from '../../replica/index.ts';
import type { ReplicaHost } from '../replica-host.ts';

type Connection = { readonly url: string; readonly channel: Channel; readonly facts: ContainerFacts };

/**
 * What stands in for the engine where a replica is a connection to a server elsewhere: its end is the end of the
 * channel, there is nothing to pause, and nothing is left to remove.
 */
export class Connections implements ReplicaHost {
  readonly #open = new Map<string, Connection>();
  /** URLs whose last connection came to nothing. */
  readonly #failed = new Set<string>();

  /** What a verdict about eras holds for: the URL. */
  readonly images: ReplicaHost['images'] = {
    inspect: async (tag) => ({ id: tag, user: '', entrypoint: [], command: [], labels: {} }),
  };

  add(id: string, connection: Connection): void {
    this.#open.set(id, connection);
    void connection.channel.closed.then((end) => {
      this.#open.delete(id);
      if (end.why === 'remote') this.#failed.add(connection.url);
    });
  }

  /** Somebody there has completed a handshake. */
  works(url: string): void {
    this.#failed.delete(url);
  }

  /** Of several URLs the one with the fewest connections; those that have just failed last. */
  leastUsed<Place extends { readonly url: string }>(places: readonly Place[]): Place | undefined {
    const open = [...this.#open.values()];
    const rank = ({ url }: Place): number =>
      open.filter((one) => one.url === url).length +
      (this.#failed.has(url) ? Number.MAX_SAFE_INTEGER / 2 : 0);
    return places.toSorted((a, b) => rank(a) - rank(b))[0];
  }

  async inspect(id: string): Promise<ContainerFacts | null> {
    return this.#open.get(id)?.facts ?? null;
  }

  async stop(id: string): Promise<void> {
    this.#destroy(id, 'stopped');
  }

  async kill(id: string): Promise<void> {
    this.#destroy(id, 'killed');
  }

  async remove(id: string): Promise<void> {
    this.#destroy(id, 'removed');
  }

  async pause(): Promise<void> {}

  async resume(): Promise<void> {}

  #destroy(id: string, why: string): void {
    this.#open.get(id)?.channel.destroy(why);
  }
}
