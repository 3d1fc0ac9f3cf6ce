import type { ContainerExit, ContainerFacts } from '../engine/index.ts';
import { messageOf, type Reason } from '../kernel/index.ts';
import type { ChannelEnd, Replica } from '../replica/index.ts';
import { classifiedExit, exitReason, type Found } from './exit-reason.ts';
import { howEnded, told } from './how-ended.ts';
import type { Ending, RunningOptions } from './running-options.ts';
import { isEngineDown } from './start-failure.ts';
import { settledWithin } from './waits.ts';

/** After a die event the last bytes are still on their way: Docker itself waits 2 s for them (docs/architecture.md). */
const TAIL_MS = 2500;
/** Of a stop's deadline this much, or half of a shorter one, is kept for ending the process itself. */
const END_RESERVE_MS = 5000;
const STDERR_LINES = 10;

/**
 * One container with its process, from the start of its output to its removal: finds out why it ended, and ends
 * it in the three ways there are: politely, by kill, and for a reason of ours.
 */
export class Running {
  readonly replica: Replica;
  readonly facts: ContainerFacts;
  /** Settles once, when the reason is known and the replica has been told. The container may still exist. */
  readonly ended: Promise<Ending>;
  readonly #options: RunningOptions;
  readonly #started = Promise.withResolvers<void>();
  /** Somebody said that it is down; replaced when that turned out to be untrue. */
  #down = Promise.withResolvers<null>();
  /** We ended it, or gave it up: its end needs no proof. */
  #givenUp = false;
  #isStarted = false;
  #wish: 'serve' | 'stop' | 'kill' = 'serve';
  #oomSeen = false;
  #removal: Promise<void> | null = null;
  #exit: ContainerExit | null = null;
  #isResting = false;

  constructor(options: RunningOptions) {
    this.#options = options;
    this.replica = options.replica;
    this.facts = options.facts;
    const { server, id } = options.replica.identity;
    options.replica.channel.stderr.follow(({ line }) =>
      options.stated.state({ type: 'replica.stderr', server, replica: id, line }),
    );
    this.ended = this.#watch();
  }

  get containerId(): string {
    return this.facts.id;
  }

  get stderr(): readonly string[] {
    return this.replica.channel.stderr.last(STDERR_LINES).map((entry) => entry.line);
  }

  /** How the process ended, in our classification; null while it runs, or where nobody knows. */
  get exit(): ContainerExit | null {
    return this.#exit;
  }

  /** False while the request that starts it is under way: what the engine says then may be about the process before. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  sawStarted(): void {
    this.#isStarted = true;
    this.#started.resolve();
  }

  sawOom(): void {
    this.#oomSeen = true;
  }

  /**
   * The engine says, by event or by list, that the container is down or gone. It is looked at before that is
   * believed: an event told twice, or a list made before a restart, is about the process before.
   */
  sawDown(): void {
    this.#down.resolve(null);
  }

  /**
   * Calls in flight finish, the process sees end of input, then TERM, then KILL: all inside `deadlineMs`.
   * The container stays. Never rejects.
   */
  async stop(deadlineMs: number): Promise<void> {
    const { clock, engine } = this.#options;
    const reserveMs = Math.min(END_RESERVE_MS, deadlineMs / 2);
    this.#wish = this.#wish === 'kill' ? 'kill' : 'stop';
    if (this.replica.state.name === 'paused') await this.#attempt(engine.resume(this.containerId));
    const over = this.ended;
    await Promise.race([this.replica.drain(deadlineMs - reserveMs), over]);
    this.replica.endInput();
    if (!(await settledWithin(clock, reserveMs * 0.3, over))) {
      await this.#attempt(engine.stop(this.containerId, reserveMs * 0.5));
      // The engine says it is down, or cannot be asked: either way there is nothing left to wait for.
      this.#giveUp();
      await over;
    }
  }

  /** A fault on request. @throws GantryError engine_unavailable, EngineError */
  async kill(): Promise<void> {
    this.#wish = 'kill'; // before the request: the death may be heard before the answer
    await this.#options.engine.kill(this.containerId);
    this.#giveUp();
    await this.ended;
  }

  async pause(): Promise<void> {
    await this.#options.engine.pause(this.containerId);
    this.replica.paused();
  }

  /** Whether it was put to rest because nobody uses it, which is no intent of a user's. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** It was stopped because nobody uses it. */
  restStopped(): void {
    this.#isResting = true;
  }

  /** Pauses it because nobody uses it. It takes no calls from the start on: one in between finds it so. */
  async rest(): Promise<void> {
    this.#isResting = true;
    this.replica.paused();
    try {
      await this.#options.engine.pause(this.containerId);
    } catch (error) {
      this.#isResting = false;
      this.replica.resumed();
      throw error;
    }
  }

  async resume(): Promise<void> {
    await this.#options.engine.resume(this.containerId);
    this.#isResting = false;
    this.replica.resumed();
  }

  /** Ends it for a reason of ours, such as a missed deadline, and removes it. Never rejects. */
  async discard(why: Reason): Promise<void> {
    this.replica.fail(why);
    this.#giveUp();
    await this.remove(why.code);
  }

  /** Removes the container, running or not. What cannot be removed now, the reconciler finds. Never rejects. */
  remove(why: string): Promise<void> {
    this.#removal ??= this.#remove(why);
    return this.#removal;
  }

  async #remove(why: string): Promise<void> {
    if (await this.#attempt(this.#options.engine.remove(this.containerId))) {
      this.#options.stated.state({ type: 'container.removed', containerId: this.containerId, why });
    }
    this.#giveUp();
    await this.ended;
    this.#options.onRemoved();
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#started.resolve();
    this.#down.resolve(null);
  }

  async #watch(): Promise<Ending> {
    let ending: Ending | null = null;
    while (ending === null) {
      const channelEnd = await Promise.race([this.replica.closed, this.#down.promise]);
      if (channelEnd === null) {
        await Promise.race([this.#started.promise, this.replica.closed]);
        await settledWithin(this.#options.clock, TAIL_MS, this.replica.closed);
        // Before it is looked at: what is said from now on counts anew.
        if (!this.#givenUp) this.#down = Promise.withResolvers<null>();
      }
      const found = await this.#find(channelEnd);
      ending = found === null ? null : this.#diagnose(channelEnd, found);
    }
    this.#exit = ending.exit;
    if (ending.reason === null) this.replica.stopped();
    else this.replica.fail(ending.reason);
    return ending;
  }

  #diagnose(channelEnd: ChannelEnd | null, found: Found): Ending {
    const facts = {
      channelEnd,
      found,
      oomSeen: this.#oomSeen,
      killAsked: this.#wish === 'kill',
      memoryBytes: this.facts.limits.memoryBytes,
      stderr: this.stderr,
    };
    const exit = classifiedExit(facts);
    // A reason given earlier stands: the death is its consequence.
    if (this.replica.state.name === 'failed') return { reason: this.replica.state.reason, exit };
    return { reason: this.#wish === 'stop' ? null : exitReason(facts), exit };
  }

  /** @returns null where it runs on and is heard: nothing has ended. */
  async #find(channelEnd: ChannelEnd | null): Promise<Found | null> {
    const { containerId } = this;
    try {
      return await howEnded({
        ...this.#options,
        containerId,
        channelEnd,
        down: this.#down.promise,
        isServing: this.#wish === 'serve',
        isGivenUp: () => this.#givenUp,
      });
    } catch (error) {
      this.#options.onEngineError(error);
      if (isEngineDown(error)) return told(channelEnd, this.#options.clock) ?? { what: 'engine_down' };
      this.#trouble(error);
      return told(channelEnd, this.#options.clock) ?? { what: 'unknown' };
    }
  }

  /** @returns whether it worked; the failure is stated, not thrown. */
  async #attempt(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      this.#options.onEngineError(error);
      this.#trouble(error);
      return false;
    }
  }

  #trouble(error: unknown): void {
    const where = `container of ${this.replica.identity.id}`;
    this.#options.stated.state({ type: 'trouble', where, message: messageOf(error) });
  }
}
