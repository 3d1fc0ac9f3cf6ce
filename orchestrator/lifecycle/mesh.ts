import {
  type EraVerdict,
  GantryError,
  messageOf,
  type ReplicaView,
  type ServerSpec,
  type ToolView,
} from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { inBackground } from './background.ts';
import { ContainerTable } from './container-table.ts';
import { Containers } from './containers.ts';
import { EngineWatch } from './engine-watch.ts';
import { Gate } from './gate.ts';
import { removeOldImages } from './images/old-images.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { NO_MEMORY } from './mesh-memory.ts';
import type { MeshOptions } from './mesh-options.ts';
import { Reconciler } from './reconciler.ts';
import { checkReplicas } from './replica-count.ts';
import { ServerPool } from './server-pool.ts';
import type { MeshServerView } from './server-view.ts';
import { difference, fingerprintOf, sameContainer } from './spec-diff.ts';
import { Starter } from './starter.ts';
import { Turns } from './turns.ts';

/** Standing replicas come up three at a time, sessions four: more would only slow each other down on two cores. */
const PARALLEL_STARTS = 3;
const PARALLEL_SESSION_STARTS = 4;
const RECONCILE_EVERY_MS = 30_000;

/** All servers, desired and actual: satisfies what routing needs of pools and what the control routes call. */
export class Mesh {
  readonly containers: Containers;
  readonly #options: MeshOptions;
  readonly #table = new ContainerTable();
  readonly #pools = new Map<string, ServerPool>();
  /** As asked for last; a pool may still be on its way there. */
  readonly #wanted = new Map<string, ServerSpec>();
  /** Changes of one server happen one after the other. */
  readonly #turns = new Turns((name, error) => this.#trouble(name, error));
  readonly #watch: EngineWatch;
  readonly #reconciler: Reconciler;
  readonly #starter: Starter;
  readonly #gates = { standing: new Gate(PARALLEL_STARTS), session: new Gate(PARALLEL_SESSION_STARTS) };
  #events: { close(): void } | null = null;
  #closing = false;

  constructor(options: MeshOptions) {
    this.#options = options;
    const { engine, owner } = options;
    const onEngineError = (error: unknown): void => this.#watch.report(error);
    const shared = { ...options, table: this.#table, onEngineError };
    this.#reconciler = new Reconciler({ ...shared, everyMs: RECONCILE_EVERY_MS });
    this.#watch = new EngineWatch({ ...options, prepare: () => this.#reconciler.once() });
    this.#starter = new Starter(shared);
    this.containers = new Containers({ engine, owner, pools: () => [...this.#pools.values()] });
  }

  /** Begins to listen to the engine. What an earlier start left behind is removed before anything is started. */
  open(): void {
    this.#events = this.#options.engine.events((event) => this.#table.hear(event));
    this.#watch.probe();
    this.#reconciler.run();
  }

  /**
   * Brings the mesh to the desired list: exactly the difference. Servers come up, and changed ones end, by
   * themselves afterwards; resolves when what was removed is gone. Never rejects because of one server.
   */
  async apply(specs: readonly ServerSpec[]): Promise<void> {
    const { added, changed, removed } = difference([...this.#wanted.values()], specs);
    for (const spec of [...added, ...changed]) this.put(spec);
    await Promise.all(removed.map(({ name }) => this.remove(name)));
    if (added.length + changed.length + removed.length === 0) return;
    const counts = { added: added.length, changed: changed.length, removed: removed.length };
    this.#options.facts.state({ type: 'config.applied', ...counts });
  }

  /** One server as it should be, seen as such at once; what has to be replaced ends in the background. */
  put(spec: ServerSpec): void {
    this.#wanted.set(spec.name, spec);
    // At once where nothing is in the way, so that the server is seen as soon as this returns.
    if (!this.#pools.has(spec.name) && !this.#turns.has(spec.name)) return this.#create(spec);
    void this.#turns.take(spec.name, async () => {
      if (this.#wanted.get(spec.name) !== spec) return; // asked otherwise meanwhile
      const pool = this.#pools.get(spec.name);
      if (pool !== undefined && sameContainer(pool.spec, spec)) return pool.adopt(spec);
      await pool?.close(pool.spec.timeouts.drainMs);
      this.#create(spec);
    });
  }

  /** Resolves when the server's containers are gone; at once when there is no such server. */
  remove(name: string): Promise<void> {
    this.#wanted.delete(name);
    return this.#turns.take(name, async () => {
      const pool = this.#pools.get(name);
      await pool?.close(pool.spec.timeouts.drainMs);
      this.#pools.delete(name);
      await this.#sweep(name, null);
    });
  }

  /** Everything ends politely: calls in flight get `drainMs`. Resolves when all containers are gone. */
  async shutdown(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#reconciler.close();
    await Promise.all([...this.#pools.values()].map((pool) => pool.close(drainMs)));
    this.#pools.clear();
    this.#watch.close();
    this.#events?.close();
  }

  list(): readonly MeshServerView[] {
    return [...this.#pools.values()].map((pool) => this.#view(pool));
  }

  /** @throws GantryError server_not_found */
  get(name: string): MeshServerView {
    return this.#view(this.#pool(name));
  }

  /** @throws GantryError server_not_found */
  replicas(name: string): readonly ReplicaView[] {
    return this.#pool(name).replicaViews;
  }

  /** The tools that a server listed when it last became ready; none while they are not known. @throws GantryError server_not_found */
  tools(name: string): readonly ToolView[] {
    return this.#pool(name).tools;
  }

  /** What its containers are made of, as one word. @throws GantryError server_not_found */
  fingerprint(name: string): string {
    return fingerprintOf(this.#pool(name).spec);
  }

  /** Starts what is stopped and retries what has failed, at once. @throws GantryError server_not_found */
  start(name: string): MeshServerView {
    return this.#act(name, async (pool) => pool.start());
  }

  /**
   * Answers at once; the containers go in the background. Lasts until `start`, and over restarts of this process
   * where somebody remembers it (`MeshMemory`).
   * @throws GantryError server_not_found
   */
  stop(name: string): MeshServerView {
    return this.#act(name, (pool) => pool.stop());
  }

  /** @throws GantryError server_not_found */
  restart(name: string): MeshServerView {
    return this.#act(name, (pool) => pool.restart());
  }

  /**
   * Lasts as `stop` does, until `replicas` is changed in the configuration.
   * @throws GantryError server_not_found, invalid_request
   */
  scale(name: string, replicas: number): MeshServerView {
    this.checkScale(name, replicas);
    return this.#act(name, (pool) => pool.scale(replicas));
  }

  /** Whether a server could be scaled so. @throws GantryError server_not_found, invalid_request */
  checkScale(name: string, replicas: number): void {
    this.#pool(name);
    checkReplicas(replicas);
  }

  /** For routing. */
  spec(server: string): ServerSpec | null {
    return this.#pools.get(server)?.spec ?? null;
  }

  standing(server: string): readonly Replica[] {
    return this.#pools.get(server)?.standing ?? [];
  }

  /** @throws GantryError server_not_found, no_replica, replica_failed, engine_unavailable */
  async openForSession(server: string, principal: string): Promise<Replica> {
    return await this.#pool(server).openForSession(principal);
  }

  /** @throws GantryError server_not_found, no_replica, replica_failed, engine_unavailable */
  async heldFor(server: string, principal: string): Promise<Replica> {
    return await this.#pool(server).heldFor(principal);
  }

  /** Throws as `heldFor`. */
  async era(server: string): Promise<EraVerdict> {
    return await this.#pool(server).eras.find();
  }

  /** Throws as `heldFor`. */
  async speaksLegacy(server: string): Promise<boolean> {
    return await this.#pool(server).eras.speaksLegacy();
  }

  async release(replica: Replica, why: string): Promise<void> {
    await this.#pools.get(replica.identity.server)?.release(replica, why);
  }

  #pool(name: string): ServerPool {
    const pool = this.#pools.get(name);
    if (pool !== undefined) return pool;
    throw new GantryError('server_not_found', `There is no server named ${name}.`, {
      detail: { server: name },
    });
  }

  #create(spec: ServerSpec): void {
    if (this.#closing) return;
    const { facts, eras: eraMemory, memory = NO_MEMORY } = this.#options;
    const gates = { standingGate: this.#gates.standing, sessionGate: this.#gates.session };
    const made = { starter: this.#starter, engineWatch: this.#watch, eraMemory, memory };
    const prepareImage = async (wanted: ServerSpec): Promise<PreparedImage> => {
      const prepared = await this.#options.prepareImage(wanted);
      const isCurrent = this.#pools.get(spec.name) === pool && this.#wanted.has(spec.name);
      if (isCurrent) inBackground(facts, `images of ${spec.name}`, this.#sweep(spec.name, prepared.tag));
      return prepared;
    };
    const pool = new ServerPool({ ...this.#options, ...gates, ...made, spec, prepareImage });
    this.#pools.set(spec.name, pool);
  }

  #sweep(server: string, keep: string | null): Promise<void> {
    const { engine, owner } = this.#options;
    return removeOldImages(engine, { owner, server, keep });
  }

  #act(name: string, verb: (pool: ServerPool) => Promise<void>): MeshServerView {
    const pool = this.#pool(name);
    verb(pool).catch((error: unknown) => this.#trouble(name, error));
    return this.#view(pool);
  }

  /** As it will be, where it is just being replaced. */
  #view(pool: ServerPool): MeshServerView {
    return pool.viewOf(this.#wanted.get(pool.spec.name) ?? pool.spec);
  }

  #trouble(name: string, error: unknown): void {
    this.#options.facts.state({ type: 'trouble', where: `server ${name}`, message: messageOf(error) });
  }
}
