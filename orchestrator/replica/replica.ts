import type { CallOptions, Channel, ChannelEnd, ServerMessage } from '../channel/index.ts';
import { Link } from '../channel/index.ts';
import type { Clock, Era, Facts, GantryError, JsonRpcOutcome, Reason, ReplicaView } from '../kernel/index.ts';
import type { Silence } from '../resilience/index.ts';
import { type CallBreaker, counted } from './counted.ts';
import {
  DISCOVER_PARAMS,
  discoveryOf,
  GREETING,
  type Handshake,
  handshakeOf,
  selfDescribed,
} from './handshake.ts';
import { type ProbeAnswer, Prober } from './prober.ts';
import { deadCallError, diagnosisOf, notServing } from './replica-errors.ts';
import type { ReplicaIdentity, ReplicaOptions } from './replica-identity.ts';
import { mayBecome, type ReplicaState } from './replica-state.ts';

/**
 * One live container running one process of a server: its state, its link, its handshake. It never starts or
 * removes the container; `lifecycle` does and tells it (`fail`, `stopped`).
 */
export class Replica {
  readonly identity: ReplicaIdentity;
  readonly channel: Channel;
  /** Set by `lifecycle`: it serves only whom it serves already, others go to one that has taken its place. */
  fenced = false;
  readonly #link: Link;
  readonly #facts: Facts;
  readonly #clock: Clock;
  readonly #breaker: CallBreaker;
  readonly #prober: Prober;
  /** Resolves when it is known why the replica is over. */
  readonly #diagnosed = Promise.withResolvers<void>();
  readonly #watchers = new Set<(state: ReplicaState) => void>();
  #state: ReplicaState = { name: 'starting' };
  #handshake: Handshake | null = null;

  constructor(options: ReplicaOptions) {
    this.identity = options.identity;
    this.channel = options.channel;
    this.#facts = options.facts;
    this.#clock = options.clock;
    this.#breaker = options.breaker;
    const { server, id } = options.identity;
    this.#link = new Link({
      channel: options.channel,
      clock: options.clock,
      onDropped: (why, count) => this.#facts.state({ type: 'line.dropped', server, replica: id, why, count }),
      deadCallError: () => this.#deadCallError(),
    });
    this.#prober = new Prober({
      ask: (method, params, timeoutMs) => this.#link.probe(method, params, timeoutMs),
      clock: options.clock,
      tell: (answered, durationMs) =>
        this.#facts.state({ type: 'replica.probe', server, replica: id, answered, durationMs }),
    });
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** The one answer to "may new calls go here?" */
  get available(): boolean {
    const isOpen = this.#link.open && this.#breaker.state === 'closed';
    return this.#state.name === 'ready' && isOpen && !this.fenced;
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

  /** Null until the handshake is complete. */
  get handshake(): Handshake | null {
    return this.#handshake;
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
    const { id, containerId, heldBy } = this.identity;
    const breaker = this.#breaker.state;
    return { id, containerId, heldBy, state: this.#state.name, callsInFlight: this.callsInFlight, breaker };
  }

  /** Whether its process answers anything at all within `timeoutMs`. No call: nobody's counts change. Never rejects. */
  probe(timeoutMs: number): Promise<ProbeAnswer> {
    const { era, capabilities } = this.#handshake ?? { era: 'legacy', capabilities: {} };
    const discovery = era === 'modern' ? DISCOVER_PARAMS : null;
    return this.#prober.probe(timeoutMs, discovery, 'tools' in capabilities);
  }

  /**
   * The MCP handshake: initialize, then the initialized notification. The replica is `ready` afterwards.
   * Pools call it with their own identity; for a session it relays the client's own parameters.
   * A JSON-RPC error of the server is returned, not thrown, and leaves the replica in `starting`.
   * @param announce false when the client itself sends `notifications/initialized`.
   * @throws GantryError replica_failed when the process dies first, call_timeout after `timeoutMs`.
   */
  async initialize(
    params: Record<string, unknown>,
    options: CallOptions & { announce: boolean },
  ): Promise<JsonRpcOutcome> {
    const outcome = await this.#link.call('initialize', params, options);
    if (!outcome.ok) return outcome;
    this.#handshake = handshakeOf(outcome.result);
    if (options.announce) await this.#link.notify('notifications/initialized');
    this.#become({ name: 'ready' });
    return outcome;
  }

  /**
   * The handshake in Gantry's own name. Throws as `initialize`.
   * @param capabilities what whoever stands behind Gantry can be asked for; by default the server has nobody to ask.
   */
  greet(readyMs: number, capabilities: Readonly<Record<string, unknown>> = {}): Promise<JsonRpcOutcome> {
    const params = { ...GREETING, capabilities };
    return this.initialize(params, { callTimeoutMs: readyMs, maxCallMs: readyMs, announce: true });
  }

  /**
   * Asks a fresh process whether it serves without a handshake (MCP 2026-07-28, `server/discover`). A result means
   * that it does, and the replica is `ready`; an error, which is returned, that it does not.
   * @throws GantryError replica_failed when the process dies of the question, call_timeout after `timeoutMs`.
   */
  async discover(timeoutMs: number, signal?: AbortSignal): Promise<JsonRpcOutcome> {
    const until = signal === undefined ? {} : { signal };
    const limits = { callTimeoutMs: timeoutMs, maxCallMs: timeoutMs, ...until };
    const outcome = await this.#link.call('server/discover', DISCOVER_PARAMS, limits);
    if (outcome.ok) {
      this.#handshake = discoveryOf(outcome.result);
      this.#become({ name: 'ready' });
    }
    return outcome;
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
    if (this.#state.name !== 'ready' && this.#state.name !== 'paused') {
      return Promise.reject(notServing(this.identity, this.#state.name));
    }
    return counted(this.#link.call(method, selfDescribed(this.#handshake, params), options), {
      server: this.identity.server,
      method,
      clock: this.#clock,
      facts: this.#facts,
      breaker: this.#breaker,
    });
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
    this.#link.listen(listener);
  }

  /** @returns a function that stops watching. */
  watch(watcher: (state: ReplicaState) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  paused(): void {
    this.#become({ name: 'paused' });
  }

  resumed(): void {
    this.#become({ name: 'ready' });
  }

  /** Takes nothing new; resolves when the calls in flight are done or `deadlineMs` has passed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#become({ name: 'draining' });
    await this.#link.idle(deadlineMs);
  }

  /** Polite end of the process: it sees end of input. */
  endInput(): void {
    this.channel.end();
  }

  /** The container is down as wished. Calls that are still open end with an error first. */
  stopped(): void {
    this.#become({ name: 'stopped' });
    this.channel.destroy('stopped');
  }

  /** The container is down, or has to go, for a reason. The first reason wins. */
  fail(reason: Reason): void {
    this.#become({ name: 'failed', reason });
    this.channel.destroy(reason.message);
  }

  #become(next: ReplicaState): void {
    if (!mayBecome(this.#state.name, next.name)) return;
    this.#state = next;
    const { server, id } = this.identity;
    const reason = next.name === 'failed' ? next.reason : null;
    this.#facts.state({ type: 'replica.state', server, replica: id, state: next.name, reason });
    if (next.name === 'failed' || next.name === 'stopped') this.#diagnosed.resolve();
    for (const watcher of this.#watchers) watcher(next);
  }

  async #deadCallError(): Promise<GantryError> {
    await diagnosisOf(this.#diagnosed.promise, this.#clock);
    const reason = this.#state.name === 'failed' ? this.#state.reason : null;
    const stderr = this.channel.stderr.last(5).map((entry) => entry.line);
    return deadCallError(this.identity, reason, stderr);
  }
}
