import { type Clock, type Facts, type ServerSpec, shortId } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { callBreaker, noteBreaker } from './breaker-facts.ts';
import { ColdStarts } from './cold-starts.ts';
import type { EngineUp } from './engine-watch.ts';
import type { EraFinder } from './eras/era-finder.ts';
import type { Gate } from './gate.ts';
import { greet } from './greet.ts';
import { type Ejection, Guard } from './guard.ts';
import type { ImageMemo } from './image-memo.ts';
import { OWN_HELLO } from './recent-hellos.ts';
import type { ReplicaHost } from './replica-host.ts';
import type { Running } from './running.ts';
import type { ServerHistory, StartsHistory } from './server-history.ts';
import type { Spare } from './spare.ts';
import { isEngineDown, startFailureOf } from './start-failure.ts';
import { allOpen, notStarted, serverStopped, startRefusal, stillInstalling } from './start-refusal.ts';
import type { StartRequest, Starts } from './starter.ts';
import { settledWithin } from './waits.ts';

/** The parameters of an initialize. */
export type Hello = Readonly<Record<string, unknown>>;

export type SessionReplicasOptions = {
  readonly spec: () => ServerSpec;
  readonly image: ImageMemo;
  readonly starter: Starts;
  /** A spare for somebody; null where there is none (`WarmPool.take`). */
  readonly takeSpare: (principal: string | null, hello: Hello | null) => Spare | null;
  readonly gate: Gate;
  readonly engineWatch: EngineUp;
  readonly engine: ReplicaHost;
  readonly eras: EraFinder;
  readonly clock: Clock;
  readonly facts: Facts;
  /** 0 up to 1, without 1. */
  readonly random: () => number;
  /** False while the server is stopped: what is just starting then is ended again. */
  readonly accepting: () => boolean;
  readonly onChange: () => void;
  /** What the server had been through in an earlier process; null where nobody knows. */
  readonly earlier: ServerHistory | null;
};

/** The replicas beyond the standing ones: one per session, never restarted, at most `maxSessions`. */
export class SessionReplicas {
  readonly #options: SessionReplicasOptions;
  readonly #running = new Set<Running>();
  readonly #openings = new Set<Promise<Running>>();
  readonly #starts: ColdStarts;
  /** One for each that runs, until it is gone. */
  readonly #watches = new Set<Promise<void>>();

  constructor(options: SessionReplicasOptions) {
    this.#options = options;
    this.#starts = new ColdStarts({ ...options, past: options.earlier?.starts ?? null });
  }

  get all(): readonly Running[] {
    return [...this.#running];
  }

  get startsHistory(): StartsHistory {
    return this.#starts.history;
  }

  /**
   * A replica whose process runs; nobody has greeted it yet, or somebody has with just this.
   * @param hello the initialize that will follow; null for another beginning
   * @throws GantryError no_replica, replica_failed, engine_unavailable
   */
  async open(principal: string, hello: Hello | null): Promise<Running> {
    const spec = this.#options.spec();
    if (!this.#options.accepting()) throw serverStopped(spec);
    if (this.#running.size + this.#openings.size >= spec.maxSessions) throw allOpen(spec);
    const spare = this.#options.takeSpare(this.#whose(principal), hello);
    if (spare !== null) return this.#adopted(spare);
    this.#starts.check();
    const opening = this.#open(principal);
    this.#openings.add(opening);
    try {
      return await opening;
    } finally {
      this.#openings.delete(opening);
    }
  }

  /** The same with the handshake done in Gantry's own name. Throws as `open`. */
  async openGreeted(principal: string): Promise<Running> {
    const { spec, eras, clock } = this.#options;
    const isModern = eras.known?.era === 'modern';
    const running = await this.open(principal, isModern ? null : OWN_HELLO);
    const why = await greet(running, { spec: spec(), image: await this.#options.image.get(), eras, clock });
    if (why === null && running.replica.available) return running;
    if (why !== null) await running.discard(why);
    throw notStarted(spec(), why);
  }

  /** Ends one politely; resolves when its container is gone. */
  async end(running: Running, why: string, deadlineMs: number): Promise<void> {
    await running.stop(deadlineMs);
    await running.remove(why);
  }

  /** Ends all, those that are just starting too (`accepting` has to be false by then, or they stay). */
  async endAll(why: string, deadlineMs: number): Promise<void> {
    await Promise.all(this.all.map((running) => this.end(running, why, deadlineMs)));
    await Promise.allSettled(this.#openings);
  }

  /** Somebody asked for a fresh start: failed ones before it keep none from being tried. */
  forgetFailures(): void {
    this.#starts.forget();
  }

  /** Lets them go on until they end by themselves, and ends those that are left after `lateMs`. */
  async endLate(why: string, lateMs: number, deadlineMs: number): Promise<void> {
    await settledWithin(this.#options.clock, lateMs, this.#allOver());
    await this.endAll(why, deadlineMs);
  }

  async #allOver(): Promise<void> {
    while (this.#openings.size + this.#watches.size > 0) {
      await Promise.allSettled([...this.#openings, ...this.#watches]);
    }
  }

  find(replica: Replica): Running | undefined {
    return this.all.find((running) => running.replica === replica);
  }

  async #open(principal: string): Promise<Running> {
    try {
      const started = await this.#start(principal);
      if (!this.#options.accepting()) {
        await this.end(started.running, 'server stopped', 0);
        throw serverStopped(this.#options.spec());
      }
      return this.#adopted(started);
    } catch (error) {
      this.#options.engineWatch.report(error);
      this.#options.image.report(error);
      throw startRefusal(this.#options.spec(), error);
    }
  }

  #adopted({ running, breaker }: Spare): Running {
    running.replica.handTo('session', 0);
    this.#running.add(running);
    const watch = this.#watch(running, breaker).finally(() => this.#watches.delete(watch));
    this.#watches.add(watch);
    inBackground(this.#options.facts, `session replica of ${this.#options.spec().name}`, watch);
    this.#options.onChange();
    return running;
  }

  /** Null where the data is everybody's. */
  #whose(principal: string): string | null {
    return this.#options.spec().sharing === 'shared' ? null : principal;
  }

  async #start(principal: string): Promise<Spare> {
    const { spec, gate, image } = this.#options;
    const prepared = await image.soon();
    if (prepared === null) throw stillInstalling(spec());
    const replicaId = `${spec().name}-s-${shortId()}`;
    const policy = () => spec().breaker;
    const breaker = callBreaker({ ...this.#options, server: spec().name, replica: replicaId, policy });
    const request = {
      spec: spec(),
      image: prepared,
      replicaId,
      generation: 1,
      restarts: 0,
      heldBy: 'session' as const,
      principal: this.#whose(principal),
      breaker,
    };
    return { running: await gate.run(() => this.#begin(request)), breaker };
  }

  /** In its turn at the gate: those before it may have failed. */
  async #begin(request: StartRequest): Promise<Running> {
    const { starter, spec } = this.#options;
    const start = this.#starts.begin();
    try {
      const running = await starter.start(request);
      start.follow(running, spec().timeouts.readyMs);
      return running;
    } catch (error) {
      if (isEngineDown(error)) start.abandoned();
      else start.failed(startFailureOf(error).reason);
      throw error;
    }
  }

  /** However it ends: what is left of it is removed, nothing is restarted. */
  async #watch(running: Running, breaker: Breaker): Promise<void> {
    const guard = new Guard({ ...this.#options, running, breaker });
    await Promise.race([running.ended, guard.verdict]);
    if (guard.ejection !== null) await this.#eject(running, guard.ejection);
    const { reason } = await running.ended;
    // A polite end removes it itself, under its own name.
    await running.remove(reason?.code ?? 'session ended');
    this.#running.delete(running);
    if (breaker.state !== 'closed') {
      noteBreaker(this.#options.facts, this.#options.spec().name, running.replica.identity.id, 'gone');
    }
    this.#options.onChange();
  }

  /** Nothing but its session used it: its calls may finish where it is heard at all, then both are over. */
  async #eject(running: Running, { reason, drains }: Ejection): Promise<void> {
    const { drainMs } = this.#options.spec().timeouts;
    if (drains) await Promise.race([running.replica.drain(drainMs), running.ended]);
    await running.discard(reason);
  }
}
