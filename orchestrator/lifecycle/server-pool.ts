import type { ReplicaView, ServerSpec, ToolView } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { mayEject } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { ANONYMOUS, Claims } from './claims.ts';
import { EraFinder } from './eras/era-finder.ts';
import { ImageMemo } from './image-memo.ts';
import { poolWithout } from './pool-now.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Running } from './running.ts';
import { type DerivedState, type Intent, serverState } from './server-state.ts';
import { type MeshServerView, serverView } from './server-view.ts';
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
    const { name, replicas } = options.spec;
    this.#desired = options.memory.replicas(name, replicas);
    this.#intent = options.memory.stopped(name) ? 'stop' : 'run';
    this.#tools = options.memory.tools(name, fingerprintOf(options.spec));
    const spec = (): ServerSpec => this.#spec;
    this.#image = new ImageMemo({ prepare: options.prepareImage, spec, clock: options.clock });
    const shared = {
      ...options,
      spec,
      image: this.#image,
      gate: options.sessionGate,
      accepting: () => this.#intent === 'run',
    };
    const { eraMemory: memory } = options;
    this.eras = new EraFinder({ ...shared, memory, principal: () => this.#standingPrincipal });
    this.#sessions = new SessionReplicas({
      ...shared,
      eras: this.eras,
      onChange: () => this.#changed(),
    });
    this.#claims = new Claims({ ...options, spec, slots: () => this.#slots, sessions: this.#sessions });
    if (this.#intent === 'run') this.#fill();
  }

  get spec(): ServerSpec {
    return this.#spec;
  }

  get derived(): DerivedState {
    return serverState(
      this.#intent,
      this.#slots.map((slot) => slot.phase),
    );
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

  /** @param spec its own, or the one that takes its place as soon as this pool is closed. */
  viewOf(spec: ServerSpec): MeshServerView {
    const succeeded = this.#intent === 'close' && spec !== this.#spec;
    return serverView({
      spec,
      derived: this.derived,
      desired: succeeded ? spec.replicas : this.#desired,
      slots: this.#slots,
      sessions: this.#sessions.all,
      era: this.eras.known?.era ?? null,
      toolCount: this.#tools.length,
      resolved: this.#image.prepared?.resolved ?? null,
      url: this.#options.urlOf(spec),
    });
  }

  get replicaViews(): readonly ReplicaView[] {
    const standing = this.#slots.flatMap((slot) => (slot.running === null ? [] : [slot.running]));
    return [...standing, ...this.#sessions.all].map((running) => running.replica.view);
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
    await this.#closeAll(this.#spec.timeouts.drainMs, 'server stopped');
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

  /** The end of this pool. Resolves when its containers are gone. */
  async close(drainMs: number): Promise<void> {
    this.#intent = 'close';
    this.#changed();
    await this.#closeAll(drainMs, 'server removed');
  }

  /** @throws GantryError no_replica, replica_failed, engine_unavailable */
  async openForSession(principal: string): Promise<Replica> {
    return (await this.#sessions.open(principal)).replica;
  }

  /** Throws as `openForSession`. */
  async heldFor(principal: string): Promise<Replica> {
    return await this.#claims.heldFor(principal);
  }

  async release(replica: Replica, why: string): Promise<void> {
    const running = this.#sessions.find(replica);
    if (running !== undefined) await this.endSession(running, why);
  }

  endSession(running: Running, why: string): Promise<void> {
    return this.#sessions.end(running, why, this.#spec.timeouts.drainMs);
  }

  /** A shared server has one volume; else standing replicas serve callers without a name. */
  get #standingPrincipal(): string | null {
    return this.#spec.sharing === 'shared' ? null : ANONYMOUS;
  }

  #fill(): void {
    // A slot that is over leaves its number to the next one.
    for (let number = 1; this.#slots.length < this.#desired; number++) {
      const id = `${this.#spec.name}-${number}`;
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

  async #closeAll(drainMs: number, why: string): Promise<void> {
    await Promise.all([
      ...this.#slots.map((slot) => this.#close(slot, drainMs)),
      this.#sessions.endAll(why, drainMs),
      this.eras.close(),
    ]);
  }

  async #close(slot: Slot, drainMs: number): Promise<void> {
    await slot.tell('close', drainMs);
    this.#claims.forget(slot);
    this.#slots = this.#slots.filter((other) => other !== slot);
    if (this.#intent === 'run') this.#fill(); // a start may have come meanwhile
  }

  /** States the server's state when it has changed. */
  #changed(): void {
    const { state, reason } = this.derived;
    const told = `${state} ${reason?.code ?? ''}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#options.facts.state({ type: 'server.state', server: this.#spec.name, state, reason });
  }
}
