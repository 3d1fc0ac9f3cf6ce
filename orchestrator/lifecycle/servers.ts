import { type Facts, GantryError, messageOf, reason, type ServerSpec, Turns } from '../kernel/index.ts';
import { inBackground } from './background.ts';
import type { PoolMaker } from './pool-maker.ts';
import { Revisions, type RevisionsOptions } from './revisions.ts';
import { sameContainer } from './spec-diff.ts';
import { type Dependency, StartOrder } from './start-order.ts';

/** Somebody else has to become ready first. */
const WAITING_RETRY_AFTER_MS = 5000;

export type ServersOptions = Pick<RevisionsOptions, 'clock' | 'facts' | 'prepareImage' | 'urlOf'> & {
  /** With which revision a server begins: `Takeover.revisionOf`. */
  readonly firstRevision: (server: string) => number;
  /** Removes images of a server, all but one. Never rejects. */
  readonly sweep: (server: string, keep: string | null) => Promise<void>;
  /** See `MeshOptions`. */
  readonly disabled: (server: string) => string | null;
  /** See `MeshOptions`. */
  readonly onChange: (server: string) => void;
};

/** All servers by name, as they are and as they are wanted: which change comes when, and who waits for whom. */
export class Servers {
  readonly order: StartOrder;
  readonly #options: ServersOptions;
  readonly #facts: Facts;
  readonly #maker: () => PoolMaker;
  readonly #servers = new Map<string, Revisions>();
  /** As asked for last; a server may still be on its way there. */
  readonly #wanted = new Map<string, ServerSpec>();
  /** Changes of one server happen one after the other. */
  readonly #turns = new Turns();
  #closing = false;

  /** @param maker asked when the first pool is made: it needs the order of this. */
  constructor(options: ServersOptions, maker: () => PoolMaker) {
    this.#options = options;
    this.#facts = options.facts;
    this.#maker = maker;
    this.order = new StartOrder({
      dependsOn: (server) => this.#wanted.get(server)?.dependsOn ?? null,
      stateOf: (server) => this.#servers.get(server)?.current.derived ?? this.#absent(server),
    });
  }

  #absent(server: string): Dependency {
    if (this.#wanted.has(server)) return { state: 'pending', reason: null };
    const why = this.#options.disabled(server);
    return why === null ? null : { state: 'disabled', reason: reason('disabled', why) };
  }

  get names(): readonly string[] {
    return [...this.#servers.keys()];
  }

  get all(): readonly Revisions[] {
    return [...this.#servers.values()];
  }

  get wanted(): readonly ServerSpec[] {
    return [...this.#wanted.values()];
  }

  find(name: string): Revisions | undefined {
    return this.#servers.get(name);
  }

  /** @throws GantryError server_not_found */
  get(name: string): Revisions {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new GantryError('server_not_found', `There is no server named ${name}.`, {
      detail: { server: name },
    });
  }

  /** @throws GantryError server_not_found, no_replica while it waits for another server */
  started(name: string): Revisions {
    const server = this.get(name);
    const { state, reason } = server.current.derived;
    if (state !== 'pending') return server;
    throw new GantryError('no_replica', `Server ${name} is not started yet. ${reason?.message ?? ''}`, {
      detail: { server: name, reason: reason?.code ?? null, retryAfterMs: WAITING_RETRY_AFTER_MS },
    });
  }

  /** As it was asked for last. @throws GantryError server_not_found */
  wish(name: string): ServerSpec {
    return this.#wanted.get(name) ?? this.get(name).current.spec;
  }

  /** One server as it should be, seen as such at once; what has to be replaced is replaced in the background. */
  put(spec: ServerSpec): void {
    this.#wanted.set(spec.name, spec);
    // At once where nothing is in the way, so that the server is seen as soon as this returns.
    const server = this.#servers.get(spec.name);
    if (server === undefined && !this.#turns.has(spec.name)) this.#create(spec);
    else if (server?.heed(spec) !== true) this.#change(spec, false);
    this.#looked();
  }

  /** Resolves when the server's containers are gone; at once when there is no such server. */
  remove(name: string): Promise<void> {
    this.#wanted.delete(name);
    this.#servers.get(name)?.abort();
    return this.#inTurn(name, async () => {
      const server = this.#servers.get(name);
      await server?.close(server.current.spec.timeouts.drainMs);
      this.#servers.delete(name);
      await this.#options.sweep(name, null);
      this.#looked();
    });
  }

  /** Starts what is stopped or waits for its next try; begins a change that was rolled back anew. */
  start(name: string): void {
    const server = this.get(name);
    const spec = this.wish(name);
    if (server.isRolling) return;
    if (sameContainer(server.current.spec, spec)) server.current.start();
    else this.#change(spec, true);
  }

  /** All containers go; calls in flight get `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    await Promise.all(this.all.map((server) => server.close(drainMs)));
    this.#servers.clear();
  }

  /** While containers of two revisions are there, the images of both are needed. */
  sweepLater(name: string, keep: string | null): void {
    const server = this.#servers.get(name);
    if (keep === null || server === undefined || server.pools.length > 1 || !this.#wanted.has(name)) return;
    inBackground(this.#facts, `images of ${name}`, this.#options.sweep(name, keep));
  }

  trouble(name: string, error: unknown): void {
    this.#facts.state({ type: 'trouble', where: `server ${name}`, message: messageOf(error) });
  }

  #create(spec: ServerSpec): void {
    if (this.#closing) return;
    const server = new Revisions(spec, {
      ...this.#options,
      firstRevision: this.#options.firstRevision(spec.name),
      makePool: (wanted, place) => this.#maker().make(wanted, place),
      onChange: () => {
        this.#looked();
        this.#options.onChange(spec.name);
      },
      onGone: () => this.sweepLater(spec.name, server.current.prepared?.tag ?? null),
    });
    this.#servers.set(spec.name, server);
  }

  #change(spec: ServerSpec, start: boolean): void {
    void this.#inTurn(spec.name, async () => {
      if (this.#wanted.get(spec.name) !== spec || this.#closing) return; // asked otherwise meanwhile
      const server = this.#servers.get(spec.name);
      if (server === undefined) this.#create(spec);
      else await server.change(spec, { start });
      this.#looked();
    });
  }

  /** A failure is told, not thrown: whoever asked has gone on. */
  #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    return this.#turns.take(name, work).catch((error: unknown) => this.trouble(name, error));
  }

  /** Something has changed that others may wait for. */
  #looked(): void {
    this.order.look();
    for (const { dependsOn, name } of this.#wanted.values())
      if (dependsOn.length > 0) this.#servers.get(name)?.current.look();
  }
}
