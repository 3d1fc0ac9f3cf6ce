import type { ContainerExit } from '../engine/index.ts';
import { messageOf, type Reason, reason } from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { noteBreaker, placeBreaker } from './breaker-facts.ts';
import { type Ejection, Guard } from './guard.ts';
import { type Command, Inbox } from './inbox.ts';
import { type Failure, type NextTry, type ReadyTimes, RestartPlan, stillToWaitFor } from './restart-plan.ts';
import type { Running } from './running.ts';
import type { PlaceHistory } from './server-history.ts';
import { SlotContainer } from './slot-container.ts';
import type { SlotOptions } from './slot-options.ts';
import { lastingWait, type SlotPhase } from './slot-phase.ts';
import { startFailureOf } from './start-failure.ts';
import { settledWithin } from './waits.ts';

/** Even when the engine seems to be back at once, it is not asked again sooner. */
const ENGINE_RETRY_MS = 1000;

/**
 * One place of a pool, and the loop that keeps it filled: start, greet, serve, find out why it ended, wait as long as
 * the restart policy says, again. Its breaker outlives the replicas in it, so that a replacement has to answer a probe
 * before it serves. Everything it is told goes through its inbox, so that one thing happens at a time.
 */
export class Slot {
  readonly id: string;
  readonly #options: SlotOptions;
  readonly #inbox = new Inbox();
  readonly #plan: RestartPlan;
  readonly breaker: Breaker;
  readonly #container: SlotContainer;
  #phase: SlotPhase = { name: 'starting', reason: null };
  /** When the present process became ready, milliseconds since the epoch; null before. */
  #readyAt: number | null = null;

  constructor(options: SlotOptions) {
    this.id = options.id;
    this.#options = options;
    this.#plan = new RestartPlan(options.clock, options.random, options.past?.failures);
    this.breaker = placeBreaker({ ...options, past: options.past?.breaker ?? null });
    this.#container = new SlotContainer(options, this.breaker, this.#plan);
    // In a turn of its own: whoever makes a slot first puts it where it belongs.
    const begun = Promise.resolve().then(() => this.#run());
    inBackground(options.facts, `replica ${this.id}`, begun);
  }

  get phase(): SlotPhase {
    return this.#phase;
  }

  get running(): Running | null {
    return this.#container.running;
  }

  /** How the predecessor of the present container ended. */
  get lastExit(): ContainerExit | null {
    return this.#container.lastExit;
  }

  /** For the next process of Gantry, should this one end now. */
  get history(): PlaceHistory {
    const failures = this.#plan.history(this.#readyTimes);
    return { breaker: this.breaker.history, failures, waiting: lastingWait(this.#phase) };
  }

  /** Whether there is a process to serve, or one on its way. */
  get #isComingUp(): boolean {
    const { name } = this.#phase;
    return this.running !== null && (name === 'starting' || name === 'up' || name === 'ejected');
  }

  /** Resolves when the command has been carried out; at once when the slot is closed. */
  tell(kind: Command['kind'], deadlineMs: number): Promise<void> {
    if (this.#phase.name === 'closed') return Promise.resolve();
    // Nothing to start, and the process must not be attached to a second time.
    if (kind === 'start' && this.#isComingUp) return Promise.resolve();
    return new Promise((done) => this.#inbox.put({ kind, deadlineMs, done }));
  }

  async #run(): Promise<void> {
    let command = await this.#resumeWait();
    while (command?.kind !== 'close') command = await this.#step(command);
    try {
      await this.#halt(command.deadlineMs);
      await this.#container.close();
    } finally {
      this.#become({ name: 'closed' });
      noteBreaker(this.#options.facts, this.#options.spec().name, this.id, 'gone');
      command.done();
      this.#inbox.drop();
    }
  }

  /** What goes wrong in Gantry itself is told and tried again: nobody else would fill this place. */
  async #step(command: Command | null): Promise<Command | null> {
    try {
      return command === null ? await this.#live() : await this.#obey(command);
    } catch (error) {
      const { facts, clock } = this.#options;
      facts.state({ type: 'trouble', where: `replica ${this.id}`, message: messageOf(error) });
      command?.done();
      // Nobody watches what may still run there.
      if (command === null) await this.#container.clear('defect');
      await settledWithin(clock, ENGINE_RETRY_MS, this.#inbox.arrived);
      return this.#inbox.take();
    }
  }

  /** One container's life and the wait after it. @returns the command that cut it short, or null to go on. */
  async #live(): Promise<Command | null> {
    const failure = await this.#comeUp();
    if (!this.#inbox.isEmpty) return this.#inbox.take();
    if (failure !== null) return this.#wait(failure.reason, failure.retryAfterMs);
    const { running } = this;
    if (running === null) return null;
    const guard = new Guard({ ...this.#options, running, breaker: this.breaker });
    try {
      await Promise.race([running.replica.closed, running.ended, guard.verdict, this.#inbox.arrived]);
      if (!this.#inbox.isEmpty) return this.#inbox.take();
      if (guard.ejection !== null) await this.#eject(running, guard.ejection);
      else if (this.#container.isInherited(this.#readyTimes)) return guard.followed();
      await Promise.race([running.ended, this.#inbox.arrived]);
    } finally {
      guard.close();
    }
    if (!this.#inbox.isEmpty) return this.#inbox.take();
    const [{ reason: why }] = await Promise.all([running.ended, this.#container.noteExit()]);
    await this.#container.clear(why?.code ?? 'ended');
    return this.#wait(why ?? reason('stopped', 'The container was stopped.'), null);
  }

  /** It gets no calls any more; those it has may end, then it goes. A command comes first. */
  async #eject(running: Running, { reason: why, drains }: Ejection): Promise<void> {
    this.#become({ name: 'ejected', running, reason: why });
    const { drainMs } = this.#options.spec().timeouts;
    if (drains) await Promise.race([running.replica.drain(drainMs), running.ended, this.#inbox.arrived]);
    if (this.#inbox.isEmpty) await running.discard(why);
  }

  get #readyTimes(): ReadyTimes {
    const { clock, spec } = this.#options;
    const readyForMs = this.#readyAt === null ? 0 : clock.now() - this.#readyAt;
    return { readyForMs, readyTimeoutMs: spec().timeouts.readyMs };
  }

  /** @returns null when up, or when a command came first. */
  async #comeUp(): Promise<Pick<Failure, 'reason' | 'retryAfterMs'> | null> {
    const { engineWatch, image, clock, facts, offers, onUp } = this.#options;
    this.#readyAt = null;
    this.#become({ name: 'starting', reason: this.#phase.name === 'waiting' ? this.#phase.reason : null });
    try {
      await Promise.race([engineWatch.up, this.#inbox.arrived]);
      const prepared = await Promise.race([image.get(), this.#inbox.arrived]);
      if (prepared === null || !this.#inbox.isEmpty) return null;
      const why = await this.#container.comeUp(prepared, this.#inbox);
      const { running } = this;
      if (!this.#inbox.isEmpty || running === null) return null;
      if (why !== null) {
        await running.discard(why);
        await this.#container.noteExit();
        await this.#container.clear(why.code);
        return { reason: why, retryAfterMs: null };
      }
      this.#readyAt = clock.now();
      onUp(running, this.#container.record);
      this.#become({ name: 'up', running });
      inBackground(facts, `lists of ${this.id}`, offers.read(running.replica));
      return null;
    } catch (error) {
      engineWatch.report(error);
      image.report(error);
      return startFailureOf(error);
    }
  }

  /** What this place waited for in an earlier process, it waits for in this one. */
  async #resumeWait(): Promise<Command | null> {
    const next = stillToWaitFor(this.#options.past?.waiting ?? null, this.#options.clock.now());
    return next === null ? null : await this.#waitFor(next);
  }

  async #waitFor({ at, reason: why, failed }: NextTry): Promise<Command | null> {
    const { clock } = this.#options;
    const delayMs = at - clock.now();
    this.#become({ name: 'waiting', reason: why, nextTryAt: at, failed });
    if (delayMs > 0) await settledWithin(clock, delayMs, this.#inbox.arrived);
    return this.#inbox.take();
  }

  async #wait(why: Reason, retryAfterMs: number | null): Promise<Command | null> {
    const { clock, engineWatch, facts, spec } = this.#options;
    const engineAway = why.code === 'engine_unavailable';
    const failure = { reason: why, retryAfterMs, ...this.#readyTimes };
    const next = engineAway ? null : this.#plan.next(failure);
    this.#readyAt = null;
    const delayMs = next === null ? ENGINE_RETRY_MS : Math.max(0, next.at - clock.now());
    this.#container.restarts++;
    facts.state({ type: 'replica.restart', server: spec().name, replica: this.id, delayMs });
    if (next !== null) return await this.#waitFor(next);
    this.#become({ name: 'waiting', reason: why, nextTryAt: null, failed: true });
    await settledWithin(clock, delayMs, this.#inbox.arrived);
    await Promise.race([engineWatch.up, this.#inbox.arrived]);
    return this.#inbox.take();
  }

  /** @returns the next command where this one leads to waiting for it, else null. */
  async #obey(command: Command): Promise<Command | null> {
    switch (command.kind) {
      case 'stop':
      case 'restart':
        await this.#halt(command.deadlineMs);
        break;
      case 'renew':
        await this.#halt(command.deadlineMs);
        await this.#container.clear('renewed');
        break;
      case 'start':
      case 'close':
        break;
    }
    this.#plan.forget();
    this.breaker.reset();
    if (command.kind === 'stop' && this.running !== null) {
      this.#become({ name: 'held', running: this.running });
      command.done();
      await this.#inbox.arrived;
      return this.#inbox.take();
    }
    command.done();
    return null;
  }

  async #halt(deadlineMs: number): Promise<void> {
    if (this.running === null || this.#phase.name === 'held') return;
    this.#become({ name: 'stopping' });
    await this.running.stop(deadlineMs);
    await this.#container.noteExit();
  }

  #become(phase: SlotPhase): void {
    this.#phase = phase;
    this.#options.onChange();
  }
}
