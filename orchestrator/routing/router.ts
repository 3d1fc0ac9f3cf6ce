import { GantryError, type JsonRpcOutcome, type ServerSpec } from '../kernel/index.ts';
import { type CallOptions, listTools, type Replica, type ToolList } from '../replica/index.ts';
import { LeastInFlight } from './balancer.ts';
import type { Pools } from './pools.ts';

/** A replica for one call, and what to do when the call is over. */
export type Lease = { readonly replica: Replica; readonly done: () => void };

/**
 * Finds the replica that serves: one of its own for a session, one of the pool for a call. How a server's
 * replicas are handed out is its `sharing`.
 */
export class Router {
  readonly #pools: Pools;
  readonly #balancer = new LeastInFlight<Replica>();

  constructor(options: { pools: Pools }) {
    this.#pools = options.pools;
  }

  /** @throws GantryError server_not_found */
  spec(server: string): ServerSpec {
    const spec = this.#pools.spec(server);
    if (spec === null) {
      throw new GantryError('server_not_found', `There is no server named ${server}.`, {
        detail: { server },
      });
    }
    return spec;
  }

  /**
   * A replica for one session alone; its process waits for the session's initialize.
   * @throws GantryError server_not_found, no_replica, replica_failed
   */
  openForSession(server: string, principal: string): Promise<Replica> {
    this.spec(server);
    return this.#pools.openForSession(server, principal);
  }

  /** Ends what `openForSession` gave. */
  release(replica: Replica, why: string): Promise<void> {
    return this.#pools.release(replica, why);
  }

  /**
   * A handshaken replica for one call.
   * @throws GantryError server_not_found, no_replica, replica_failed
   */
  async lease(server: string, principal: string): Promise<Lease> {
    const spec = this.spec(server);
    switch (spec.sharing) {
      case 'shared':
        return { replica: this.#pick(server), done: () => {} };
      case 'session':
      case 'principal':
        return { replica: await this.#pools.heldFor(server, principal), done: () => {} };
      case 'call':
        return this.#fresh(spec, principal);
    }
  }

  /** One call on a leased replica, under the server's timeouts. @throws as `lease` and `Replica.call` */
  async call(
    server: string,
    principal: string,
    request: { method: string; params: Record<string, unknown> | undefined },
    options: Pick<CallOptions, 'signal' | 'onMessage'> = {},
  ): Promise<JsonRpcOutcome> {
    const { replica, done } = await this.lease(server, principal);
    try {
      return await replica.call(request.method, request.params, {
        ...this.spec(server).timeouts,
        ...options,
      });
    } finally {
      done();
    }
  }

  /** All tools of a server, asked of one replica. @throws as `lease` and `Replica.call` */
  async tools(server: string, principal: string): Promise<ToolList> {
    const { replica, done } = await this.lease(server, principal);
    try {
      return await listTools(replica, this.spec(server).timeouts);
    } finally {
      done();
    }
  }

  /** The least loaded replica of a shared pool. @throws GantryError no_replica */
  #pick(server: string): Replica {
    const replica = this.#balancer.pick(
      this.#pools.standing(server).filter((candidate) => candidate.available),
    );
    if (replica !== null) return replica;
    throw new GantryError(
      'no_replica',
      `No replica of server ${server} is ready. Its state and reason: GET /api/v1/servers/${server}.`,
      {
        detail: { server, retryAfterMs: 1000 },
      },
    );
  }

  /** Sharing `call`: a process that has seen nobody and that nobody sees afterwards. */
  async #fresh(spec: ServerSpec, principal: string): Promise<Lease> {
    const replica = await this.#pools.openForSession(spec.name, principal);
    const done = (): void => void this.#pools.release(replica, 'call ended');
    try {
      const outcome = await replica.greet(spec.timeouts.readyMs);
      if (outcome.ok) return { replica, done };
      throw new GantryError(
        'replica_failed',
        `Server ${spec.name} refused the handshake: ${outcome.error.message}`,
        {
          detail: { server: spec.name, mayHaveRun: false },
        },
      );
    } catch (error) {
      done();
      throw error;
    }
  }
}
