import type { PlaceView, ReplicaView, ServerSpec, ToolView } from '../kernel/index.ts';
import { Admission } from './admission.ts';
import { ChannelMaker } from './channel-maker.ts';
import { ContainerTable } from './container-table.ts';
import { Containers } from './containers.ts';
import { EngineWatch } from './engine-watch.ts';
import { removeOldImages } from './images/old-images.ts';
import { ALONE, type MeshOptions } from './mesh-options.ts';
import { MeshPools, type PoolsParts } from './mesh-pools.ts';
import { placeView } from './place-view.ts';
import { PoolMaker } from './pool-maker.ts';
import { Reconciler } from './reconciler.ts';
import { hasPlace } from './remote/places.ts';
import { remoteParts } from './remote/remote-starter.ts';
import { checkReplicas } from './replica-count.ts';
import { ReplicaKeeper } from './replica-keeper.ts';
import type { Revisions } from './revisions.ts';
import { historyOf, type ServerHistory } from './server-history.ts';
import type { MeshServerView } from './server-view.ts';
import { Servers } from './servers.ts';
import { difference, fingerprintOf } from './spec-diff.ts';
import { Starter } from './starter.ts';
import { Takeover } from './takeover.ts';

const RECONCILE_EVERY_MS = 30_000;

/** All servers, desired and actual: satisfies what routing needs of pools and what the control routes call. */
export class Mesh extends MeshPools {
  readonly containers: Containers;
  readonly #options: MeshOptions;
  readonly #table = new ContainerTable();
  readonly #watch: EngineWatch;
  readonly #keeper: ReplicaKeeper;
  readonly #takeover: Takeover;
  readonly #reconciler: Reconciler;
  readonly #servers: Servers;
  #events: { close(): void } | null = null;

  constructor(options: MeshOptions) {
    super();
    this.#options = options;
    const { engine, owner } = options;
    const onEngineError = (error: unknown): void => this.#watch.report(error);
    const pools = () => this.#servers.all.flatMap((server) => server.pools);
    const admission = new Admission({ ...options, spares: () => pools().map(({ spares }) => spares) });
    this.#keeper = new ReplicaKeeper(options.left ?? null);
    const reopen: Starter['reopen'] = (...candidate) => starter.reopen(...candidate);
    const takeover = new Takeover({ ...options, table: this.#table, keeper: this.#keeper, reopen });
    this.#takeover = takeover;
    const channels = new ChannelMaker({ ...options, sockets: options.sockets ?? null });
    const shared = {
      ...options,
      channels,
      keeper: this.#keeper,
      takeover,
      table: this.#table,
      admission,
      onEngineError,
    };
    this.#reconciler = new Reconciler({ ...shared, everyMs: RECONCILE_EVERY_MS });
    const prepare = async (): Promise<void> => {
      admission.engineHas((await engine.info()).memoryBytes);
      takeover.decide(await engine.list(owner), (server) => this.#servers.find(server)?.current ?? null);
      await this.#reconciler.once();
      await channels.sweep(await engine.list(owner));
    };
    this.#watch = new EngineWatch({ ...options, prepare });
    const sweep = (server: string, keep: string | null): Promise<void> =>
      removeOldImages(engine, { owner, server, keep });
    const starter = new Starter(shared);
    const firstRevision = (server: string): number => takeover.revisionOf(server);
    this.#servers = new Servers({ ...ALONE, ...options, sweep, firstRevision }, () => maker);
    const maker = new PoolMaker({
      ...shared,
      starter,
      remote: remoteParts(options),
      engineWatch: this.#watch,
      order: this.#servers.order,
      onPrepared: (server, tag) => this.#servers.sweepLater(server, tag),
    });
    this.containers = new Containers({ engine, owner, pools });
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
    const { added, changed, removed } = difference(this.#servers.wanted, specs);
    for (const spec of [...added, ...changed]) this.put(spec);
    await Promise.all(removed.map(({ name }) => this.remove(name)));
    if (added.length + changed.length + removed.length === 0) return;
    const counts = { added: added.length, changed: changed.length, removed: removed.length };
    this.#options.facts.state({ type: 'config.applied', ...counts });
  }

  /**
   * One server as it should be, seen as such at once. Where containers have to be replaced that happens in the
   * background, beside those that serve (`Rollout`).
   */
  put(spec: ServerSpec): void {
    this.#servers.put(spec);
  }

  /** Resolves when the server's containers are gone; at once when there is no such server. */
  remove(name: string): Promise<void> {
    return this.#servers.remove(name);
  }

  /**
   * Everything ends politely: calls in flight get `drainMs`. Resolves when all containers are gone but those that the next
   * start takes over.
   */
  async shutdown(drainMs: number): Promise<void> {
    this.#keeper.leave();
    this.#reconciler.close();
    await this.#servers.close(drainMs);
    this.#watch.close();
    this.#events?.close();
  }

  list(): readonly MeshServerView[] {
    return this.names.map((name) => this.get(name));
  }

  /** @throws GantryError server_not_found */
  get(name: string): MeshServerView {
    return this.#servers.get(name).view(this.#servers.wish(name));
  }

  /** @throws GantryError server_not_found */
  replicas(name: string): readonly ReplicaView[] {
    const running = this.#servers.get(name).pools.flatMap((pool) => pool.running);
    return running.map(({ replica, isResting }) => ({ ...replica.view, idle: isResting }));
  }

  /** The standing places of the replicas that serve, filled or not. @throws GantryError server_not_found */
  places(name: string): readonly PlaceView[] {
    const { slots, spec } = this.#servers.get(name).current;
    // One whose instance is gone only finishes what it has.
    return slots.filter(({ id }) => hasPlace(id, spec)).map((slot) => placeView(slot, spec));
  }

  /** Whoever waits for its next try tries now: somebody says that it is worth it. @throws GantryError server_not_found */
  retry(name: string): void {
    for (const slot of this.#servers.get(name).current.slots)
      if (slot.phase.name === 'waiting') void slot.tell('start', 0);
  }

  /** Asks the standing replicas that serve whether they live, and waits for what they say. @throws GantryError server_not_found */
  async probe(name: string): Promise<void> {
    const { standing, spec } = this.#servers.get(name).current;
    const ready = standing.filter(({ available }) => available);
    await Promise.all(ready.map((replica) => replica.probe(spec.health.timeoutMs)));
  }

  get names(): readonly string[] {
    return this.#servers.names;
  }

  /** Without asking it; `offers` are those before any filter, null while they are not known. @throws GantryError server_not_found */
  known(name: string) {
    const { derived, offers } = this.#servers.get(name).current;
    return { ...derived, offers: offers.now };
  }

  /** Those of its tools that may be called; none while they are not known. @throws GantryError server_not_found */
  tools(name: string): readonly ToolView[] {
    return this.#servers.get(name).current.tools;
  }

  /** What the next process of Gantry has to know of a server's breakers and failures. @throws GantryError server_not_found */
  history(name: string): ServerHistory {
    const { slots, startsHistory } = this.#servers.get(name).current;
    return historyOf(slots, startsHistory);
  }

  /** What its containers are made of, as one word. @throws GantryError server_not_found */
  fingerprint(name: string): string {
    return fingerprintOf(this.#servers.get(name).current.spec);
  }

  /**
   * Starts what is stopped and retries what has failed, at once; a change that was rolled back as well.
   * @throws GantryError server_not_found
   */
  start(name: string): MeshServerView {
    this.#servers.start(name);
    return this.get(name);
  }

  /**
   * Answers at once; the containers go in the background. Lasts until `start`, and over restarts of this process
   * where somebody remembers it (`MeshMemory`).
   * @throws GantryError server_not_found
   */
  stop(name: string): MeshServerView {
    return this.#act(name, (server) => server.stop());
  }

  /** @throws GantryError server_not_found */
  restart(name: string): MeshServerView {
    return this.#act(name, (server) => server.restart());
  }

  /**
   * Lasts as `stop` does, until `replicas` is changed in the configuration.
   * @throws GantryError server_not_found, invalid_request
   */
  scale(name: string, replicas: number): MeshServerView {
    this.checkScale(name, replicas);
    return this.#act(name, (server) => server.scale(replicas));
  }

  /** Whether a server could be scaled so. @throws GantryError server_not_found, invalid_request */
  checkScale(name: string, replicas: number): void {
    checkReplicas(this.#servers.wish(name), replicas);
  }

  protected override get parts(): PoolsParts {
    return { servers: this.#servers, takeover: this.#takeover };
  }

  #act(name: string, verb: (server: Revisions) => Promise<void>): MeshServerView {
    verb(this.#servers.get(name)).catch((error: unknown) => this.#servers.trouble(name, error));
    return this.get(name);
  }
}
