import type { ServerSpec, ToolView } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { mayEject } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { ANONYMOUS, Claims } from './claims.ts';
import { EraFinder } from './eras/era-finder.ts';
import { ImageMemo } from './image-memo.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { replicaId } from './labels.ts';
import { poolWithout } from './pool-now.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Running } from './running.ts';
import { type DerivedState, type Intent, serverState, tellState } from './server-state.ts';
import { SessionReplicas } from './session-replicas.ts';
import { Slot } from './slot.ts';
import { fingerprintOf } from './spec-diff.ts';

/** The replicas of one server: its standing places, its sessions, and what users see of them. */
export class ServerPool {
  /** What the server speaks. */
  readonly eras: EraFinder;
  readonly #options: PoolOptions;
  readonly #image: ImageMemo;
  readonly #sessions: SessionReplicas;
  readonly #claims: Claims;
  #spec: ServerSpec;
  #desired: number;
  #slots: Slot[] = [];
  #intent: Intent = 'run';
  #tools: readonly ToolView[] = [];
  #told = '';

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#spec = options.spec;
    const { memory, spec: first } = options;
    this.#desired = memory.replicas(first.name, first.replicas);
    this.#intent = memory.stopped(first.name) ? 'stop' : 'run';
    this.#tools = memory.tools(first.name, fingerprintOf(first));
    const spec = (): ServerSpec => this.#spec;
    this.#image = new ImageMemo({ prepare: options.prepareImage, spec, clock: options.clock });
    const shared = {
      ...options,
      spec,
      image: this.#image,
      gate: options.sessionGate,
      accepting: () => this.#intent === 'run',
    };
    const principal = (): string | null => this.#standingPrincipal;
    this.eras = new EraFinder({ ...shared, memory: options.eraMemory, principal });
    this.#sessions = new SessionReplicas({
      ...shared,
      eras: this.eras,
      accepting: () => this.#intent === 'run' || this.#intent === 'retire',
      onChange: () => this.#changed(),
    });
    this.#claims = new Claims({ ...options, spec, slots: () => this.#slots, sessions: this.#sessions });
    if (this.#intent === 'run') this.#fill();
  }

  get spec(): ServerSpec {
    return this.#spec;
  }

  get derived(): DerivedState {
    const phases = this.#slots.map((slot) => slot.phase);
    return serverState(this.#intent, phases, this.#options.obstacle);
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  get sessions(): readonly Running[] {
    return this.#sessions.all;
  }

  get standing(): readonly Replica[] {
    return this.#slots.flatMap((slot) => (slot.phase.name === 'up' ? [slot.phase.running.replica] : []));
  }

  /** As last listed; none while no replica has been ready. */
  get tools(): readonly ToolView[] {
    return this.#tools;
  }

  get running(): readonly Running[] {
    const standing = this.#slots.flatMap((slot) => (slot.running === null ? [] : [slot.running]));
    return [...standing, ...this.#sessions.all];
  }

  get prepared(): PreparedImage | null {
    return this.#image.prepared;
  }

  get desired(): number {
    return this.#desired;
  }

  get isStopped(): boolean {
    return this.#intent === 'stop';
  }

  /** A definition that differs in nothing a container is made of. */
  adopt(spec: ServerSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    if (spec.replicas === before.replicas) return;
    inBackground(this.#options.facts, `server ${spec.name}`, this.scale(spec.replicas));
  }

  /** Resolves when replicas over the number are gone; new ones come up by themselves. */
  async scale(replicas: number): Promise<void> {
    this.#desired = replicas;
    if (this.#intent !== 'run') return;
    const over = this.#slots.slice(replicas);
    this.#fill();
    await Promise.all(over.map((slot) => this.#close(slot, this.#spec.timeouts.drainMs)));
  }

  /** Starts what is stopped, and what waits for its next try. */
  start(): void {
    if (this.#intent === 'close') return;
    this.#intent = 'run';
    this.#image.forget();
    this.#sessions.forgetFailures();
    this.eras.forget();
    for (const slot of this.#slots) void slot.tell('start', 0);
    this.#fill();
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
      ...this.#slots.map((slot) => slot.tell('renew', drainMs)),
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
    this.fence(true);
    this.#claims.endAll();
    const { drainMs } = this.#spec.timeouts;
    await this.#closeAll(drainMs, this.#sessions.endLate('server changed', sessionsMs, drainMs));
  }

  /** The end of this pool. Resolves when its containers are gone. */
  async close(drainMs: number): Promise<void> {
    this.#intent = 'close';
    this.#changed();
    await this.#closeAll(drainMs, this.#sessions.endAll('server removed', drainMs));
  }

  /** @throws GantryError no_replica, replica_failed, engine_unavailable */
  async openForSession(principal: string): Promise<Replica> {
    return (await this.#sessions.open(principal)).replica;
  }

  /** Throws as `openForSession`. */
  heldFor(principal: string): Promise<Replica> {
    return this.#claims.heldFor(principal);
  }

  async release(replica: Replica, why: string): Promise<void> {
    const running = this.#sessions.find(replica);
    if (running !== undefined) await this.#sessions.end(running, why, this.#spec.timeouts.drainMs);
  }

  /** A shared server has one volume; else standing replicas serve callers without a name. */
  get #standingPrincipal(): string | null {
    return this.#spec.sharing === 'shared' ? null : ANONYMOUS;
  }

  #fill(): void {
    // A slot that is over leaves its number to the next one.
    for (let number = 1; this.#slots.length < this.#desired; number++) {
      const id = replicaId(this.#spec.name, this.#options.revision, number);
      if (!this.#slots.some((slot) => slot.id === id)) this.#slots.push(this.#newSlot(id));
    }
  }

  #newSlot(id: string): Slot {
    return new Slot({
      ...this.#options,
      id,
      spec: () => this.#spec,
      image: this.#image,
      gate: this.#options.standingGate,
      eras: this.eras,
      principal: this.#standingPrincipal,
      mayEject: (own) => this.#spec.sharing !== 'shared' || mayEject(poolWithout(own, this.#slots)),
      onChange: () => this.#changed(),
      onTools: (tools) => {
        this.#tools = tools;
      },
    });
  }

  async #closeAll(drainMs: number, sessions: Promise<void>): Promise<void> {
    await Promise.all([
      ...this.#slots.map((slot) => this.#close(slot, drainMs)),
      sessions,
      this.eras.close(),
    ]);
  }

  async #close(slot: Slot, drainMs: number): Promise<void> {
    await slot.tell('close', drainMs);
    this.#claims.forget(slot);
    this.#slots = this.#slots.filter((other) => other !== slot);
    if (this.#intent === 'run') this.#fill(); // a start may have come meanwhile
  }

  #changed(): void {
    this.look();
    this.#options.onChange();
  }

  /** States the server's state when it has changed; to be asked where others, whom it depends on, have. */
  look(): void {
    if (!this.#options.isShown()) return;
    this.#told = tellState(this.#options.facts, this.#spec.name, this.derived, this.#told);
  }
}
