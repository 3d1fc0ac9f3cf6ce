import {
  type Clock,
  type Facts,
  GantryError,
  type Reason,
  reason,
  type ServerSpec,
} from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { inBackground } from './background.ts';
import { Rollout } from './rollout.ts';
import { rolloutMode } from './rollout-verdict.ts';
import type { ServerPool } from './server-pool.ts';
import { type MeshServerView, serverView } from './server-view.ts';
import type { Hello } from './session-replicas.ts';
import { sameContainer } from './spec-diff.ts';

/** What a pool has to know of the place it takes among the others. */
export type PoolPlace = {
  readonly revision: number;
  readonly isShown: () => boolean;
  readonly onChange: () => void;
  /** Whether it waits for the servers it depends on: a successor of one that runs does not. */
  readonly waits: boolean;
};

export type RevisionsOptions = {
  readonly firstRevision: number;
  readonly makePool: (spec: ServerSpec, place: PoolPlace) => ServerPool;
  readonly prepareImage: (spec: ServerSpec) => Promise<unknown>;
  /** Told of every change in any pool. */
  readonly onChange: () => void;
  /** An earlier revision is gone for good, with its containers. */
  readonly onGone: (pool: ServerPool) => void;
  readonly urlOf: (spec: ServerSpec) => string;
  readonly clock: Clock;
  readonly facts: Facts;
};

/**
 * The pools of one server: the one that serves, the one that is to take over, and those that only end, each with the
 * containers of one definition. Changes are made one after the other; the caller sees to that.
 */
export class Revisions {
  readonly #options: RevisionsOptions;
  readonly #living = new Set<ServerPool>();
  #current: ServerPool;
  #revision: number;
  /** The last one, running or over. */
  #rollout: Rollout | null = null;

  constructor(spec: ServerSpec, options: RevisionsOptions) {
    this.#options = options;
    this.#revision = options.firstRevision - 1;
    this.#current = this.#make(spec, true);
  }

  /** The one that serves. */
  get current(): ServerPool {
    return this.#current;
  }

  /** All with containers, the one that serves first. */
  get pools(): readonly ServerPool[] {
    return [this.#current, ...[...this.#living].filter((pool) => pool !== this.#current)];
  }

  /** Whether a change is under way and not decided. */
  get isRolling(): boolean {
    return this.#rollout?.isOpen === true;
  }

  /** @param wanted what was asked for last: shown as soon as it is asked for, and no more once it was rolled back. */
  view(wanted: ServerSpec): MeshServerView {
    const current = this.#current;
    const others = this.pools.slice(1).flatMap((pool) => pool.running);
    const isBack = this.#rollout?.state === 'rolled_back';
    const spec = isBack ? current.spec : wanted;
    const rollout = this.#rollout?.view ?? null;
    return serverView({ pool: current, spec, others, rollout, url: this.#options.urlOf(spec) });
  }

  ownerOf(replica: Replica): ServerPool | undefined {
    return this.pools.find((pool) => pool.running.some((running) => running.replica === replica));
  }

  /**
   * Hears of a wish before its turn comes: a rollout to something else is given up, one to the same containers adopts
   * it.
   * @returns whether nothing is left to do for it
   */
  heed(spec: ServerSpec): boolean {
    const rollout = this.#rollout;
    if (rollout === null || !rollout.isOpen || rollout.isCut) return false;
    if (!sameContainer(rollout.spec, spec)) {
      rollout.cut();
      return false;
    }
    rollout.adopt(spec);
    return true;
  }

  /** Brings the server to another definition. Resolves when that is decided; old sessions may go on after it. */
  async change(spec: ServerSpec, options: { readonly start?: boolean } = {}): Promise<void> {
    const from = this.#current;
    if (sameContainer(from.spec, spec)) {
      from.adopt(spec);
      if (this.#rollout?.state === 'rolled_back') this.#rollout = null;
      return;
    }
    const isServing = from.standing.some((replica) => replica.available);
    if (isServing) await this.#rollOut(from, spec);
    else await this.#replace(from, spec, from.isStopped && options.start !== true);
  }

  /** Nothing runs any more until it is started; a change under way is given up. */
  async stop(): Promise<void> {
    this.#rollout?.abort();
    await Promise.all([this.#current.stop(), ...this.pools.slice(1).map((pool) => this.#close(pool))]);
  }

  /** All containers anew; sessions on earlier revisions end too. */
  async restart(): Promise<void> {
    const kept = [this.#rollout?.from, this.#rollout?.to];
    const ending = this.pools.slice(1).filter((pool) => !(this.isRolling && kept.includes(pool)));
    await Promise.all([this.#current.restart(), ...ending.map((pool) => this.#close(pool))]);
  }

  async scale(replicas: number): Promise<void> {
    const next = this.isRolling ? this.#rollout?.to : null;
    await Promise.all([this.#current, next].map((pool) => pool?.scale(replicas)));
  }

  /** Gives up a change that is under way, so that what comes after it has not to wait. */
  abort(): void {
    this.#rollout?.abort();
  }

  /** The end of the server. Resolves when all containers are gone. */
  async close(drainMs: number): Promise<void> {
    this.#rollout?.abort();
    await Promise.all(this.pools.map((pool) => this.#close(pool, drainMs)));
  }

  /** Throws as `ServerPool.openForSession`. */
  openForSession(principal: string, hello: Hello | null): Promise<Replica> {
    return this.#withReserve((pool) => pool.openForSession(principal, hello));
  }

  /** Throws as `ServerPool.heldFor`. */
  heldFor(principal: string): Promise<Replica> {
    return this.#withReserve((pool) => pool.heldFor(principal));
  }

  /** While new replicas are being watched, the old ones can still do what these fail at: and then they do it again. */
  async #withReserve(open: (pool: ServerPool) => Promise<Replica>): Promise<Replica> {
    const pool = this.#current;
    try {
      return await open(pool);
    } catch (error) {
      const rollout = this.#rollout;
      if (rollout?.state !== 'watching' || rollout.to !== pool || !rollout.hasReserve || !isFailure(error))
        throw error;
      rollout.refuse(reasonOf(error));
      rollout.from.fence(false);
      return await open(rollout.from);
    }
  }

  async #rollOut(from: ServerPool, spec: ServerSpec): Promise<void> {
    const { prepareImage, clock, facts } = this.#options;
    const rollout = new Rollout({
      from,
      spec,
      mode: rolloutMode(from.spec, spec),
      prepare: prepareImage,
      make: (wanted) => this.#make(wanted, false),
      serve: (pool) => this.#serve(pool),
      clock,
      facts,
    });
    this.#rollout = rollout;
    const { outcome, loser } = await rollout.run();
    if (loser === null) return;
    const { sessionsMs } = rollout.spec.rollout;
    const ending = outcome === 'done' ? loser.retire(sessionsMs) : this.#close(loser);
    this.#forget(
      loser,
      ending.finally(() => rollout.drained()),
    );
  }

  /** Nothing serves that could be kept: the new replicas take over at once, whatever becomes of them. */
  async #replace(from: ServerPool, spec: ServerSpec, staysStopped: boolean): Promise<void> {
    this.#rollout = null;
    if (rolloutMode(from.spec, spec) === 'stop_first') await from.close(from.spec.timeouts.drainMs);
    const to = this.#make(spec, true);
    if (staysStopped) inBackground(this.#options.facts, `server ${spec.name}`, to.stop());
    this.#serve(to);
    this.#forget(from, from.retire(spec.rollout.sessionsMs));
  }

  #serve(pool: ServerPool): void {
    this.#current = pool;
    pool.look();
    this.#options.onChange();
  }

  #make(spec: ServerSpec, waits: boolean): ServerPool {
    this.#revision++;
    const pool: ServerPool = this.#options.makePool(spec, {
      revision: this.#revision,
      waits,
      isShown: () => this.#current === pool,
      onChange: () => {
        this.#rollout?.heard();
        this.#options.onChange();
      },
    });
    this.#living.add(pool);
    return pool;
  }

  async #close(pool: ServerPool, drainMs = this.#current.spec.timeouts.drainMs): Promise<void> {
    // On what never served nothing is worth waiting for.
    const neverServed = this.#rollout?.to === pool && this.#rollout.isFree;
    await pool.close(neverServed ? 0 : drainMs);
    this.#living.delete(pool);
  }

  #forget(pool: ServerPool, ending: Promise<void>): void {
    const gone = ending.finally(() => {
      this.#living.delete(pool);
      this.#options.onGone(pool);
    });
    inBackground(this.#options.facts, `earlier replicas of ${pool.spec.name}`, gone);
  }
}

function isFailure(error: unknown): error is GantryError {
  return error instanceof GantryError && error.code === 'replica_failed';
}

function reasonOf(error: GantryError): Reason {
  const { reason: code, stderr } = error.detail as { reason?: Reason['code']; stderr?: readonly string[] };
  return reason(code ?? 'internal', error.message, { stderr: stderr ?? [] });
}
