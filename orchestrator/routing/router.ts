import {
  type EraVerdict,
  GantryError,
  type JsonRpcOutcome,
  type ServerSpec,
  serverDisabled,
  type ToolView,
} from '../kernel/index.ts';
import { GREETING, type Handshake, listTools, type Replica, type ToolList } from '../replica/index.ts';
import { answerAsleep } from './asleep.ts';
import { attempt, callOptionsOf } from './attempts.ts';
import { Balancers } from './balancers.ts';
import { ownerOf } from './fair-queue.ts';
import type { Place } from './fresh-places.ts';
import type { Lease, LeaseRequest } from './lease.ts';
import type { Hello, Pools } from './pools.ts';
import { handshakeRefused, serverNotFound } from './refusals.ts';
import type { CallRequest, LeaseOptions, RoutedCallOptions, RouterOptions } from './router-options.ts';

const NOBODY: ReadonlySet<Replica> = new Set();
const LIST = { method: 'tools/list', params: undefined };

/**
 * Finds the replica that serves: one of its own for a session, one of the pool for a call. How a server's
 * replicas are handed out is its `sharing`; calls of `shared` and `call` may wait, and may be tried again.
 */
export class Router {
  readonly #options: RouterOptions;
  readonly #pools: Pools;
  readonly #balancers: Balancers;
  /** The places of replicas that serve one call each. */
  readonly #places = new WeakMap<Replica, Place>();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#pools = options.pools;
    this.#balancers = new Balancers(options);
  }

  /** @throws GantryError server_not_found, invalid_state for one that is disabled */
  spec(server: string): ServerSpec {
    const spec = this.#pools.spec(server);
    if (spec !== null) return spec;
    const why = this.#options.disabled?.(server) ?? null;
    throw why === null ? serverNotFound(server) : serverDisabled(server, why);
  }

  /** What outlives this process. */
  get lasting(): Pick<Pools, 'adopted' | 'keep'> {
    return this.#pools;
  }

  /** How many calls of a server wait for a replica. */
  queued(server: string): number {
    return this.#balancers.queued(server);
  }

  /** To be told when the replicas of a server have changed: whoever waits for one need not wait to be looked at. */
  look(server: string): void {
    this.#balancers.look(server);
  }

  /** Which eras a server speaks. @throws GantryError server_not_found, no_replica, replica_failed */
  era(server: string): Promise<EraVerdict> {
    this.spec(server);
    return this.#pools.era(server);
  }

  /** @throws GantryError server_not_found, no_replica */
  speaksLegacy(server: string): Promise<boolean> {
    this.spec(server);
    return this.#pools.speaksLegacy(server);
  }

  /**
   * A replica for one session alone; its process waits for the session's initialize.
   * @param hello the parameters of that initialize; null where something else will be said first
   * @throws GantryError server_not_found, no_replica, replica_failed
   */
  openForSession(server: string, principal: string, hello: Hello | null = null): Promise<Replica> {
    this.spec(server);
    return this.#pools.openForSession(server, principal, hello);
  }

  /**
   * A replica for one call alone (sharing `call`), as `openForSession`; waits while `maxSessions` are in use.
   * @throws GantryError server_not_found, no_replica, queue_full, cancelled, replica_failed
   */
  async openForCall(
    server: string,
    principal: string,
    hello: Hello | null,
    options: LeaseOptions = {},
  ): Promise<Replica> {
    const { balance } = this.spec(server);
    const request = { owner: ownerOf(principal, options), signal: options.signal };
    const free = await this.#balancers.of(server).fresh.enter(request, balance);
    try {
      const replica = await this.#pools.openForSession(server, principal, hello);
      this.#places.set(replica, free);
      return replica;
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Ends what `openForSession` and `openForCall` gave. */
  async release(replica: Replica, why: string): Promise<void> {
    try {
      await this.#pools.release(replica, why);
    } finally {
      this.#places.get(replica)?.();
    }
  }

  /** Settles when the standing replicas of a server can be called, or none will come up by itself. */
  async wake(server: string): Promise<void> {
    await this.#pools.wake(server);
  }

  /** What a server said of itself when it was greeted; nobody is woken for that. @throws as `lease` */
  async handshake(server: string, principal: string): Promise<Handshake> {
    const { sharing } = this.spec(server);
    const known = this.#pools.asleep(server)?.handshake ?? null;
    if (known !== null) return known;
    const lease =
      sharing === 'shared'
        ? { replica: this.#balancers.of(server).pool.any(), done: () => {} }
        : await this.lease(server, principal);
    lease.done();
    if (lease.replica.handshake !== null) return lease.replica.handshake;
    throw new GantryError('no_replica', `Server ${server} has not completed its handshake.`, {
      detail: { server, retryAfterMs: 1000 },
    });
  }

  /**
   * A handshaken replica for one call.
   * @throws GantryError server_not_found, no_replica, queue_full, cancelled, replica_failed
   */
  async lease(server: string, principal: string, options: LeaseOptions = {}): Promise<Lease> {
    return await this.#lease(server, principal, options, NOBODY);
  }

  /** One call on a replica, under the server's timeouts; `async` would be a promise more. @throws as `lease` and `Replica.call` */
  call(
    server: string,
    principal: string,
    request: CallRequest,
    options: RoutedCallOptions = {},
  ): Promise<JsonRpcOutcome> {
    try {
      const known = answerAsleep(request, this.#pools.asleep(server));
      if (known !== null) return Promise.resolve(known);
      const { onReplica, beforeSend } = options;
      const callOptions = callOptionsOf(this.spec(server), options);
      const send = (replica: Replica): Promise<JsonRpcOutcome> => {
        onReplica?.(replica);
        return replica.call(request.method, request.params, callOptions);
      };
      const soon = (replica: Replica) => beforeSend?.().then(() => send(replica)) ?? send(replica);
      return this.#attempt(server, principal, request, options, soon);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The tools that a server listed last; nobody is asked. None while they are not known, or where it is gone. */
  knownTools(server: string): readonly ToolView[] {
    return this.#pools.spec(server) === null ? [] : this.#pools.tools(server);
  }

  /** All tools of a server, asked of one replica: a cursor is its own. @throws as `lease` and `Replica.call` */
  async tools(server: string, principal: string, options: LeaseOptions = {}): Promise<ToolList> {
    const asleep = this.#pools.asleep(server);
    if (asleep !== null && asleep.tools.length > 0) return { tools: asleep.tools, error: null };
    const { signal } = options;
    const each = { ...this.spec(server).timeouts, ...(signal === undefined ? {} : { signal }) };
    const list = (replica: Replica): Promise<ToolList> => listTools(replica, each);
    return await this.#attempt(server, principal, LIST, options, list);
  }

  #attempt<T>(
    server: string,
    principal: string,
    request: CallRequest,
    options: LeaseOptions & Pick<RoutedCallOptions, 'attempts'>,
    send: (replica: Replica) => Promise<T>,
  ): Promise<T> {
    const { retries, sharing } = this.spec(server);
    const { attempts = retries.attempts } = options;
    // A principal's process is the one it has: there is no other to go to.
    const isPinned = sharing === 'session' || sharing === 'principal';
    return attempt({
      server,
      request,
      limits: { ...retries, attempts: isPinned ? 1 : attempts },
      budget: this.#balancers.of(server).budget,
      facts: this.#options.facts,
      tools: () => this.knownTools(server),
      lease: (failed) => this.#lease(server, principal, options, failed),
      send,
    });
  }

  #lease(
    server: string,
    principal: string,
    options: LeaseOptions,
    failed: ReadonlySet<Replica>,
  ): Lease | Promise<Lease> {
    const spec = this.spec(server);
    switch (spec.sharing) {
      case 'shared': {
        const request: LeaseRequest = {
          owner: ownerOf(principal, options),
          signal: options.signal,
          avoid: failed,
          patient: failed.size > 0,
        };
        const waking = this.#pools.wake(server);
        if (waking === null) return this.#balancers.of(server).pool.lease(request);
        return waking.then(() => this.#balancers.of(server).pool.lease(request));
      }
      case 'session':
      case 'principal':
        return this.#pools.heldFor(server, principal).then((replica) => ({ replica, done: () => {} }));
      case 'call':
        return this.#fresh(spec, principal, options);
    }
  }

  /** Sharing `call`: a process that has seen nobody and that nobody sees afterwards. */
  async #fresh(spec: ServerSpec, principal: string, options: LeaseOptions): Promise<Lease> {
    const era = (await this.#pools.speaksLegacy(spec.name)) ? 'legacy' : 'modern';
    const hello = era === 'legacy' ? GREETING : null;
    const replica = await this.openForCall(spec.name, principal, hello, options);
    const done = (): void => void this.release(replica, 'call ended');
    try {
      const outcome = await replica.greetIn(era, spec.timeouts.readyMs);
      if (outcome.ok) return { replica, done };
      throw handshakeRefused(spec.name, outcome.error.message);
    } catch (error) {
      done();
      throw error;
    }
  }
}
