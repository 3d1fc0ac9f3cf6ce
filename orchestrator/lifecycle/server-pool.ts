import { ANONYMOUS, allowedTools, type ServerSpec, type ToolView } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { Claims } from './claims.ts';
import { EraFinder } from './eras/era-finder.ts';
import { ImageMemo } from './image-memo.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { KnownOffers } from './known-offers.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Running } from './running.ts';
import { type DerivedState, type Intent, serverState, tellState } from './server-state.ts';
import { type Hello, SessionReplicas } from './session-replicas.ts';
import type { Slot } from './slot.ts';
import { fingerprintOf } from './spec-diff.ts';
import { type Asleep, Standing } from './standing.ts';
import { WarmPool } from './warm-pool.ts';

/** The replicas of one server: its standing places, its sessions, and what users see of them. */
export class ServerPool {
  readonly eras: EraFinder;
  /** Started in advance and handed to nobody yet. */
  readonly spares: WarmPool;
  /** What of its sessions outlives this process. */
  readonly lasting: Pick<SessionReplicas, 'keep' | 'goOn'>;
  /** What the server offers, before any filter. */
  readonly offers: KnownOffers;
  readonly #options: PoolOptions;
  readonly #image: ImageMemo;
  readonly #sessions: SessionReplicas;
  readonly #claims: Claims;
  readonly #standing: Standing;
  #spec: ServerSpec;
  #intent: Intent = 'run';
  #told = '';

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#spec = options.spec;
    const { memory, spec: first } = options;
    this.#intent = memory.stopped(first.name) ? 'stop' : 'run';
    this.offers = new KnownOffers(options, fingerprintOf(first));
    const spec = (): ServerSpec => this.#spec;
    this.#image = new ImageMemo({ prepare: options.prepareImage, spec, clock: options.clock });
    const accepting = (): boolean => this.#intent === 'run';
    const earlier = memory.history(first.name, fingerprintOf(first));
    const onChange = (): void => this.#changed();
    const shared = { ...options, spec, image: this.#image, accepting, onChange, earlier };
    const principal = (): string | null => this.#standingPrincipal;
    this.eras = new EraFinder({ ...shared, gate: options.sessionGate, memory: options.eraMemory, principal });
    this.spares = new WarmPool({ ...shared, gate: options.standingGate });
    this.#sessions = new SessionReplicas({
      ...shared,
      gate: options.sessionGate,
      eras: this.eras,
      accepting: () => this.#intent === 'run' || this.#intent === 'retire',
      takeSpare: (whose, hello) => this.spares.take(whose, hello),
    });
    this.lasting = this.#sessions;
    this.#standing = new Standing({
      ...shared,
      eras: this.eras,
      desired: memory.replicas(first.name, first.replicas),
      principal,
      inherit: () => this.spares.inherit(this.#standingPrincipal),
      onUp: (...up) => this.#claims.cameUp(...up),
      onClosed: (slot) => this.#claims.forget(slot),
      offers: this.offers,
    });
    this.#claims = new Claims({ ...options, spec, slots: () => this.slots, sessions: this.#sessions });
  }

  get spec(): ServerSpec {
    return this.#spec;
  }

  get derived(): DerivedState {
    return serverState(this.#intent, this.#standing.phases, this.#options.obstacle);
  }

  get slots(): readonly Slot[] {
    return this.#standing.slots;
  }

  get rest(): Standing['rest'] {
    return this.#standing.rest;
  }

  get sessions(): readonly Running[] {
    return this.#sessions.all;
  }

  get standing(): readonly Replica[] {
    return this.#standing.replicas;
  }

  /** As last listed, those that may be called; none while no replica has been ready. */
  get tools(): readonly ToolView[] {
    return allowedTools(this.#spec.tools, this.offers.now?.tools ?? []);
  }

  get startsHistory(): SessionReplicas['startsHistory'] {
    return this.#sessions.startsHistory;
  }

  get running(): readonly Running[] {
    const standing = this.slots.flatMap((slot) => (slot.running === null ? [] : [slot.running]));
    return [...standing, ...this.#sessions.all, ...this.spares.all];
  }

  get prepared(): PreparedImage | null {
    return this.#image.prepared;
  }

  get desired(): number {
    return this.#standing.desired;
  }

  get isStopped(): boolean {
    return this.#intent === 'stop';
  }

  /** A definition that differs in nothing a container is made of. */
  adopt(spec: ServerSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    this.spares.refresh();
    this.#standing.adopt(before);
  }

  /** As a user asks. Resolves when replicas over the number are gone; new ones come up by themselves. */
  async scale(replicas: number): Promise<void> {
    await this.#standing.scale(replicas);
  }

  /** What is known of the server while nobody should be woken by a question; null while it is awake. */
  get asleep(): Asleep | null {
    return this.#standing.asleep(() => this.tools);
  }

  /** Somebody is about to call a standing replica. Null while they are awake. */
  wake(): Promise<void> | null {
    return this.#standing.wake();
  }

  /** Starts what is stopped, and what waits for its next try. */
  start(): void {
    if (this.#intent === 'close') return;
    this.#intent = 'run';
    this.#image.forget();
    this.#sessions.forgetFailures();
    this.eras.forget();
    for (const slot of this.slots) void slot.tell('start', 0);
    this.#standing.fill();
    this.spares.refresh();
    this.#changed();
  }

  /** Intent: nothing runs until `start`. Sessions end too. Resolves when the containers are gone. */
  async stop(): Promise<void> {
    if (this.#intent !== 'run') return;
    this.#intent = 'stop';
    const { drainMs } = this.#spec.timeouts;
    await this.#closeAll(drainMs, this.#sessions.endAll('server stopped', drainMs));
    this.#changed();
  }

  /** All containers anew. Sessions end: their processes hold what a restart is meant to shed. */
  async restart(): Promise<void> {
    if (this.#intent === 'stop') return this.start();
    this.#image.forget();
    this.#sessions.forgetFailures();
    this.eras.forget();
    const { drainMs } = this.#spec.timeouts;
    await Promise.all([
      ...this.slots.map((slot) => slot.tell('renew', drainMs)),
      this.spares.renew('server restarted'),
      this.#sessions.endAll('server restarted', drainMs),
    ]);
  }

  /** Whether its replicas serve only those whom they serve already. */
  fence(fenced: boolean): void {
    for (const { replica } of this.running) replica.fenced = fenced;
  }

  /**
   * The end of a pool whose successor serves: what stands drains, sessions go on until they end, or `sessionsMs` have
   * passed. Resolves when its containers are gone.
   */
  async retire(sessionsMs: number): Promise<void> {
    if (this.#intent === 'close') return;
    this.#intent = 'retire';
    this.spares.close();
    this.#standing.close();
    this.fence(true);
    this.#claims.endAll();
    const { drainMs } = this.#spec.timeouts;
    await this.#closeAll(drainMs, this.#sessions.endLate('server changed', sessionsMs, drainMs));
  }

  /** The end of this pool. Resolves when its containers are gone. */
  async close(drainMs: number): Promise<void> {
    this.#intent = 'close';
    this.spares.close();
    this.#standing.close();
    this.#changed();
    await this.#closeAll(drainMs, this.#sessions.endAll('server removed', drainMs));
  }

  /** @throws GantryError no_replica, replica_failed, engine_unavailable */
  async openForSession(principal: string, hello: Hello | null): Promise<Replica> {
    return (await this.#sessions.open(principal, hello)).replica;
  }

  /** Throws as `openForSession`. */
  async heldFor(principal: string): Promise<Replica> {
    await this.#standing.wake();
    return await this.#claims.heldFor(principal);
  }

  async release(replica: Replica, why: string): Promise<void> {
    const running = this.#sessions.find(replica);
    if (running !== undefined) await this.#sessions.end(running, why, this.#spec.timeouts.drainMs);
    else await this.spares.release(replica, why);
  }

  /** A shared server has one volume; else standing replicas serve callers without a name. */
  get #standingPrincipal(): string | null {
    return this.#spec.sharing === 'shared' ? null : ANONYMOUS;
  }

  async #closeAll(drainMs: number, sessions: Promise<void>): Promise<void> {
    const { spares, eras } = this;
    const standing = this.#standing.closeAll(drainMs);
    await Promise.all([standing, spares.endAll('server stopped'), sessions, eras.close()]);
  }

  #changed(): void {
    this.#standing.changed();
    this.look();
    this.#options.onChange();
  }

  /** States the server's state when it has changed; to be asked where others, whom it depends on, have. */
  look(): void {
    if (!this.#options.isShown()) return;
    if (this.#standing.phases.some(({ name }) => name === 'up')) this.spares.open();
    this.#told = tellState(this.#options.facts, this.#spec.name, this.derived, this.#told);
  }
}
