import { GantryError, type Timeouts } from '../../kernel/index.ts';
import type { Replica } from '../../routing/index.ts';

type Watched = { listeners: number; readonly begun: ReturnType<Replica['call']> };

/**
 * Which resources are subscribed to in which process. A server knows one subscription a resource, so those who listen
 * share it: the first one begins it, the last one ends it.
 */
export class WatchedResources {
  readonly #byReplica = new WeakMap<Replica, Map<string, Watched>>();

  /**
   * @returns how to leave, to be called once.
   * @throws GantryError mcp_error when the server refuses; what a call throws
   */
  async watch(replica: Replica, uri: string, timeouts: Timeouts): Promise<() => void> {
    const uris = this.#byReplica.get(replica) ?? new Map<string, Watched>();
    this.#byReplica.set(replica, uris);
    // Not withdrawn when its listener leaves: others may wait for it too.
    const watched = uris.get(uri) ?? {
      listeners: 0,
      begun: replica.call('resources/subscribe', { uri }, timeouts),
    };
    uris.set(uri, watched);
    watched.listeners++;
    const isLast = (): boolean => {
      watched.listeners--;
      return watched.listeners === 0 && uris.delete(uri);
    };
    try {
      const outcome = await watched.begun;
      if (!outcome.ok) throw refused(replica.identity.server, uri, outcome.error);
    } catch (error) {
      isLast();
      throw error;
    }
    return () => {
      if (!isLast()) return;
      replica.call('resources/unsubscribe', { uri }, timeouts).catch(() => {
        // The process has ended, or says nothing: nobody is told of its resources any more either way.
      });
    };
  }
}

function refused(server: string, uri: string, error: { code: number; message: string }): GantryError {
  const message = `Server ${server} refused the subscription to ${uri}: ${error.message}`;
  return new GantryError('mcp_error', message, { detail: { uri, rpc: error.code } });
}
