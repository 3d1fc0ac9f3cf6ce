import { ANONYMOUS, type Reason, shortId } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { NoMemory } from './admission.ts';
import { callBreaker } from './breaker-facts.ts';
import { OWN_HELLO } from './recent-hellos.ts';
import { RestartPlan } from './restart-plan.ts';
import type { Running } from './running.ts';
import type { Spare } from './spare.ts';
import { SpareGreetings } from './spare-greetings.ts';
import { isEngineDown, startFailureOf } from './start-failure.ts';
import type { WarmPoolOptions } from './warm-pool-options.ts';

/**
 * The spares of one server: started in advance, given away once, replaced in the background. With `data` a spare has
 * the volume of callers without a name mounted (`shared`: the server's one), so it is given to those only.
 */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  readonly #waiting = new Map<Running, Breaker>();
  readonly #greetings: SpareGreetings;
  readonly #plan: RestartPlan;
  readonly #starts = new Set<Promise<void>>();
  #isOpen = false;
  #told = 0;
  #notBefore = 0;
  #cancelTimer = (): void => {};

  constructor(options: WarmPoolOptions) {
    this.#options = options;
    this.#plan = new RestartPlan(options.clock, options.random);
    this.#greetings = new SpareGreetings({
      ...options,
      onRefused: (running) => this.#end(running, 'the handshake was refused'),
      onSilent: (running, why) => this.#fail(running, why),
    });
    // Under the other modes Gantry itself greets every replica.
    if (options.spec().sharing !== 'session') this.#greetings.note(OWN_HELLO);
  }

  get all(): readonly Running[] {
    return [...this.#waiting.keys()];
  }

  /** The server has shown that it comes up: from now on spares are kept. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.fill();
  }

  /** A user asked for a fresh start, or the number has changed: what failed before counts no more. */
  refresh(): void {
    this.#plan.forget();
    this.#notBefore = 0;
    this.fill();
  }

  /**
   * A spare for somebody, who has it alone from then on; it is not ours any more.
   * @param principal whose data it may see; null for the one volume of a shared server
   * @param hello the parameters of the initialize that will follow; null for another beginning, such as a question
   *   after the era, which only a process that was not greeted can answer
   */
  take(principal: string | null, hello: Readonly<Record<string, unknown>> | null): Spare | null {
    if (hello !== null) this.#greetings.note(hello);
    if (this.#options.spec().scaling.warm === 0) return null;
    const taken = this.#take(principal, hello);
    if (taken !== null) return taken;
    this.#used('none');
    const useless = this.#greetings.uselessOf(this.all);
    if (useless !== null) void this.#end(useless, 'greeted for others');
    return null;
  }

  /** A spare for the place of a standing replica, which Gantry greets. Null where there is none. */
  inherit(principal: string | null): Spare | null {
    return this.#take(principal, OWN_HELLO);
  }

  /** Makes or ends as many as are missing or too many. */
  fill(): void {
    const { accepting, spec, clock } = this.#options;
    this.#tell();
    const wanted = accepting() && this.#isOpen ? spec().scaling.warm : 0;
    for (const running of this.all.slice(wanted)) void this.#end(running, 'too many spares');
    this.#greetings.greetSome(this.all);
    if (clock.now() < this.#notBefore) return;
    for (let count = this.#waiting.size + this.#starts.size; count < wanted; count++) this.#begin();
  }

  /** Gives one up, so that its memory is free for others soon. @returns how much that is; 0 where there is none */
  giveUp(): number {
    const [running] = this.#waiting.keys();
    if (running === undefined) return 0;
    this.#pauseFor(GIVEN_UP_MS);
    void this.#end(running, 'memory was needed');
    return running.facts.limits.memoryBytes;
  }

  /** Ends all; those that are just starting end as soon as they have (`accepting` has to be false by then). */
  async endAll(why: string): Promise<void> {
    await Promise.all(this.all.map((running) => this.#end(running, why)));
    await Promise.all(this.#starts);
  }

  /** One is ended on request; another one takes its place. Resolves when its container is gone. */
  async release(replica: Replica, why: string): Promise<void> {
    const running = this.all.find((one) => one.replica === replica);
    if (running === undefined) return;
    await this.#end(running, why);
    this.fill();
  }

  /** All anew. Resolves when the old ones are gone. */
  async renew(why: string): Promise<void> {
    await Promise.all(this.all.map((running) => this.#end(running, why)));
    this.refresh();
  }

  /** No more timers. */
  close(): void {
    this.#isOpen = false;
    this.#cancelTimer();
  }

  #take(principal: string | null, hello: Readonly<Record<string, unknown>> | null): Spare | null {
    const { data, sharing } = this.#options.spec();
    const isTheirs = data === null || sharing === 'shared' || principal === ANONYMOUS;
    const running = isTheirs ? this.#greetings.fitting(this.all, hello) : null;
    const breaker = running === null ? undefined : this.#waiting.get(running);
    if (running === null || breaker === undefined) return null;
    this.#waiting.delete(running);
    this.#used(running.replica.greetedFor === null ? 'started' : 'greeted');
    // In a turn of its own: whoever takes one is in a hurry.
    queueMicrotask(() => this.fill());
    return { running, breaker };
  }

  #used(outcome: 'greeted' | 'started' | 'none'): void {
    const { facts, spec } = this.#options;
    facts.state({ type: 'spare.used', server: spec().name, outcome });
  }

  #begin(): void {
    const start = this.#start().finally(() => {
      this.#starts.delete(start);
      this.fill();
    });
    this.#starts.add(start);
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    const { spec, image, starter, gate, engineWatch, accepting, clock, onChange } = this.#options;
    try {
      const prepared = await image.get();
      const { name, sharing } = spec();
      const replicaId = `${name}-s-${shortId()}`;
      const policy = () => spec().breaker;
      const breaker = callBreaker({ ...this.#options, server: name, replica: replicaId, policy });
      const request = {
        spec: spec(),
        image: prepared,
        replicaId,
        generation: 1,
        restarts: 0,
        heldBy: 'spare' as const,
        principal: sharing === 'shared' ? null : ANONYMOUS,
        breaker,
      };
      const running = await gate.run(async () => (accepting() ? await starter.start(request) : null));
      if (running === null) return;
      this.#waiting.set(running, breaker);
      void this.#watch(running, clock.now());
      if (!accepting()) await this.#end(running, 'server stopped');
      onChange();
    } catch (error) {
      engineWatch.report(error);
      image.report(error);
      if (isEngineDown(error)) {
        this.#notBefore = Number.POSITIVE_INFINITY;
        void engineWatch.up.then(() => this.refresh());
        return;
      }
      const failure = startFailureOf(error);
      const delayMs = error instanceof NoMemory ? NO_MEMORY_MS : failure.retryAfterMs;
      this.#failed(failure.reason, delayMs, 0);
    }
  }

  async #watch(running: Running, startedAt: number): Promise<void> {
    const { reason: why } = await running.ended;
    if (!this.#waiting.delete(running)) return; // somebody has it
    await running.remove(why?.code ?? 'spare ended');
    if (why !== null) this.#failed(why, null, this.#options.clock.now() - startedAt);
    this.#options.onChange();
    this.fill();
  }

  #failed(why: Reason, retryAfterMs: number | null, readyForMs: number): void {
    const { clock, spec } = this.#options;
    const { readyMs } = spec().timeouts;
    const next = this.#plan.next({ reason: why, retryAfterMs, readyForMs, readyTimeoutMs: readyMs });
    this.#pauseFor(next.at - clock.now());
  }

  #pauseFor(delayMs: number): void {
    const { clock } = this.#options;
    this.#notBefore = Math.max(this.#notBefore, clock.now() + delayMs);
    this.#cancelTimer();
    this.#cancelTimer = clock.after(Math.max(0, this.#notBefore - clock.now()), () => this.fill());
  }

  /** Not handed out from now on. Resolves when its container is gone. */
  async #end(running: Running, why: string): Promise<void> {
    this.#waiting.delete(running);
    await running.remove(why); // nobody has said anything to it that could be lost
  }

  async #fail(running: Running, why: Reason): Promise<void> {
    this.#waiting.delete(running);
    await running.discard(why);
    this.#failed(why, null, 0);
  }

  #tell(): void {
    const waiting = this.#waiting.size;
    if (waiting === this.#told) return;
    this.#told = waiting;
    this.#options.facts.state({ type: 'spare.count', server: this.#options.spec().name, waiting });
  }
}

/** Whoever was refused comes back by then. */
const GIVEN_UP_MS = 30_000;
/** Nobody waits for a spare, so memory is not asked for often. */
const NO_MEMORY_MS = 10_000;
