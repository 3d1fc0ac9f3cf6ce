import type { CallOptions, Channel, ChannelEnd, ServerMessage } from '../channel/index.ts';
import { Link } from '../channel/index.ts';
import type { Clock, Era, Facts, JsonRpcOutcome, Reason, ReplicaView } from '../kernel/index.ts';
import type { Silence } from '../resilience/index.ts';
import { type CallBreaker, counted } from './counted.ts';
import { Greeting, type InitializeOptions } from './greeting.ts';
import { type Handshake, selfDescribed } from './handshake.ts';
import { Hearing } from './hearing.ts';
import { LastingProcess } from './lasting-process.ts';
import { type ProbeAnswer, Prober } from './prober.ts';
import { diagnosedError, notServing } from './replica-errors.ts';
import { type Holder, type ReplicaIdentity, type ReplicaOptions, shownIdentity } from './replica-identity.ts';
import { ReplicaLife } from './replica-life.ts';
import type { ReplicaState } from './replica-state.ts';

/**
 * One live container running one process of a server: its state, its link, its handshake. It never starts or
 * removes the container; `lifecycle` does and tells it (`fail`, `stopped`).
 */
export class Replica {
  readonly channel: Channel;
  /** Set by `lifecycle`: it serves only whom it serves already, others go to one that has taken its place. */
  fenced = false;
  /** Where its process outlives this one. */
  readonly lasting: LastingProcess;
  readonly #link: Link;
  readonly #greeting: Greeting;
  readonly #facts: Facts;
  readonly #clock: Clock;
  readonly #prober: Prober;
  readonly #hearing: Hearing;
  /** Resolves when it is known why the replica is over. */
  readonly #diagnosed = Promise.withResolvers<void>();
  readonly #life = new ReplicaLife((state) => this.#became(state));
  #identity: ReplicaIdentity;
  #breaker: CallBreaker;

  constructor(options: ReplicaOptions) {
    this.#identity = options.identity;
    this.channel = options.channel;
    this.#facts = options.facts;
    this.#clock = options.clock;
    this.#breaker = options.breaker;
    const { server, id } = options.identity;
    this.#link = new Link({
      ...options.lasting,
      replica: id,
      channel: options.channel,
      clock: options.clock,
      onDropped: (why, count) => this.#dropped(why, count),
      deadCallError: () => diagnosedError(this, this.#diagnosed.promise, this.#clock),
    });
    this.#hearing = new Hearing(this.#link, (why) => this.#dropped(why, 1));
    this.#prober = new Prober({
      ask: (method, params, timeoutMs) => this.#link.probe(method, params, timeoutMs),
      clock: options.clock,
      tell: (answered, durationMs) =>
        this.#facts.state({ type: 'replica.probe', server, replica: id, answered, durationMs }),
    });
    this.#greeting = new Greeting(this.#link, () => this.#life.become({ name: 'ready' }));
    const parts = { channel: options.channel, link: this.#link, greeting: this.#greeting, life: this.#life };
    this.lasting = new LastingProcess({ ...parts, counted: (method, call) => this.#counted(method, call) });
  }

  get identity(): ReplicaIdentity {
    return this.#identity;
  }

  get state(): ReplicaState {
    return this.#life.state;
  }

  /** The one answer to "may new calls go here?" */
  get available(): boolean {
    return this.state.name === 'ready' && this.isOpen && !this.fenced && this.#breaker.state === 'closed';
  }

  /** What was heard from its process, and since when it owes an answer. */
  get silence(): Silence {
    return this.#link.silence;
  }

  get callsInFlight(): number {
    return this.#link.callsInFlight;
  }

  /** How long it has had nothing to do, in milliseconds; 0 while a call is in flight. */
  get idleMs(): number {
    return this.#link.idleMs;
  }

  /** False once the channel is over. */
  get isOpen(): boolean {
    return this.#link.open;
  }

  /** `Greeting.greetedFor` */
  get greetedFor(): string | null {
    return this.#greeting.greetedFor;
  }

  /** Null until the handshake is complete. */
  get handshake(): Handshake | null {
    return this.#greeting.handshake;
  }

  /** Settles once the channel is over: `lifecycle` then finds out why and says so by `fail` or `stopped`. */
  get closed(): Promise<ChannelEnd> {
    return this.channel.closed;
  }

  /** Settles after `closed`, when every call in flight has ended with an error that says why. */
  get over(): Promise<void> {
    return this.#link.over;
  }

  get view(): ReplicaView {
    const now = { state: this.state.name, callsInFlight: this.callsInFlight, breaker: this.#breaker.state };
    return { ...shownIdentity(this.identity), idle: false, ...now };
  }

  /** Whether its process answers anything at all within `timeoutMs`. No call: nobody's counts change. Never rejects. */
  probe(timeoutMs: number): Promise<ProbeAnswer> {
    return this.#prober.probe(timeoutMs, this.handshake);
  }

  /** The MCP handshake with somebody's own parameters: `Greeting.initialize`. */
  initialize(params: Record<string, unknown>, options: InitializeOptions): Promise<JsonRpcOutcome> {
    return this.#greeting.initialize(params, options);
  }

  /** Nobody holds it yet: what its process says is kept until somebody listens. */
  waitForHolder(): void {
    this.#hearing.waitForHolder();
  }

  /** @param breaker of the place it comes to, where it has one */
  handTo(heldBy: Holder, restarts: number, breaker: CallBreaker = this.#breaker): void {
    this.#identity = { ...this.#identity, heldBy, restarts };
    this.#breaker = breaker;
  }

  /** The first half of a handshake in advance: `Greeting.greetAhead`. */
  greetAhead(params: Record<string, unknown>, readyMs: number): Promise<JsonRpcOutcome> {
    return this.#greeting.greetAhead(params, readyMs);
  }

  /** The handshake in Gantry's own name: `Greeting.greet`. */
  greet(readyMs: number, capabilities: Readonly<Record<string, unknown>> = {}): Promise<JsonRpcOutcome> {
    this.#hearing.byNobody();
    return this.#greeting.greet(readyMs, capabilities);
  }

  /** The question whether it serves without a handshake: `Greeting.discover`. */
  discover(timeoutMs: number, signal?: AbortSignal): Promise<JsonRpcOutcome> {
    this.#hearing.byNobody();
    return this.#greeting.discover(timeoutMs, signal);
  }

  /** `greet` or `discover`. Throws as they do. */
  greetIn(era: Era, readyMs: number): Promise<JsonRpcOutcome> {
    return era === 'legacy' ? this.greet(readyMs) : this.discover(readyMs);
  }

  /**
   * One request to the process. One greeted by `discover` is told Gantry's own name where the request says none.
   * @throws GantryError replica_failed | call_timeout | no_replica (not serving)
   */
  call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: CallOptions,
  ): Promise<JsonRpcOutcome> {
    if (this.state.name !== 'ready' && this.state.name !== 'paused') {
      return Promise.reject(notServing(this.identity, this.state.name));
    }
    return this.#counted(method, this.#link.call(method, selfDescribed(this.handshake, params), options));
  }

  notify(method: string, params?: Record<string, unknown>): Promise<void> {
    return this.#link.notify(method, params);
  }

  /** Answers a request that the server sent. */
  respond(id: string | number, answer: { result: unknown } | { error: unknown }): Promise<void> {
    return this.#link.respond(id, answer);
  }

  /** Messages of the server that belong to no call: at most one listener, the holder of the replica. */
  listen(listener: ((message: ServerMessage) => void) | null): void {
    this.#hearing.listen(listener);
  }

  /** @returns a function that stops watching. */
  watch(watcher: (state: ReplicaState) => void): () => void {
    return this.#life.watch(watcher);
  }

  paused(): void {
    this.#life.become({ name: 'paused' });
  }

  resumed(): void {
    this.#life.become({ name: 'ready' });
  }

  /** Takes nothing new; resolves when the calls in flight are done or `deadlineMs` has passed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#life.become({ name: 'draining' });
    await this.#link.idle(deadlineMs);
  }

  /** Polite end of the process: it sees end of input. */
  endInput(): void {
    this.channel.end();
  }

  /** The container is down as wished. Calls that are still open end with an error first. */
  stopped(): void {
    this.#life.become({ name: 'stopped' });
    this.channel.destroy('stopped');
  }

  /** The container is down, or has to go, for a reason. The first reason wins. */
  fail(reason: Reason): void {
    this.#life.become({ name: 'failed', reason });
    this.channel.destroy(reason.message);
  }

  #counted(method: string, call: Promise<JsonRpcOutcome>): Promise<JsonRpcOutcome> {
    const { server } = this.identity;
    return counted(call, { server, method, clock: this.#clock, facts: this.#facts, breaker: this.#breaker });
  }

  #dropped(why: string, count: number): void {
    const { server, id: replica } = this.identity;
    this.#facts.state({ type: 'line.dropped', server, replica, why, count });
  }

  #became(next: ReplicaState): void {
    const { server, id } = this.identity;
    const reason = next.name === 'failed' ? next.reason : null;
    this.#facts.state({ type: 'replica.state', server, replica: id, state: next.name, reason });
    if (next.name === 'failed' || next.name === 'stopped') this.#diagnosed.resolve();
  }
}
