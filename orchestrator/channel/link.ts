import type { Clock, GantryError, JsonRpcId, JsonRpcOutcome } from '../kernel/index.ts';
import { NOBODY_TO_ASK, TurnoverMap } from '../kernel/index.ts';
import type { Silence } from '../resilience/index.ts';
import { type Memory, takeLines } from './acknowledger.ts';
import type { Channel } from './channel.ts';
import { DroppedLines } from './dropped-lines.ts';
import { Heard } from './heard.ts';
import { type LastingChannel, lastingOf } from './lasting-channel.ts';
import { full, neverArrived, notSent } from './link-errors.ts';
import { type CallOptions, cancelled, OpenCall, type SentCall } from './open-call.ts';
import { isChange, type Params, readServerLine, type ServerMessage, subscriptionOf } from './server-line.ts';
import { Waiters } from './waiters.ts';

export type LinkOptions = {
  /** The replica that it leads to. */
  readonly replica: string;
  readonly channel: Channel;
  readonly clock: Clock;
  /** Lines or messages that could not be used, by a short stable word; those of one read are told together. */
  readonly onDropped: (why: string, count: number) => void;
  /** The error that calls in flight end with when the channel is over; may take a moment to learn why it is. */
  readonly deadCallError: () => Promise<GantryError>;
  /** Above every id that an earlier link to the same process has used; 0 where there was none. */
  readonly idsAbove?: number;
  /** What of a process that outlives this one is remembered elsewhere. */
  readonly memory?: Memory;
};

/** Far above any client's needs; a process that answers nobody must not collect calls without end. */
const MAX_CALLS = 1024;
/** A process that does not read its stdin may hold so much of ours, in characters. */
const MAX_UNSENT = 16 * 1024 * 1024;

/**
 * JSON-RPC over a channel. Ids towards the process are the link's own, so two clients that both send id 1
 * never cross; progress tokens likewise. When the channel ends, every open call ends with an error.
 */
export class Link {
  /** Settles when the channel is over and every call in flight has ended with its error. */
  readonly over: Promise<void>;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #dropped: DroppedLines;
  readonly #open = new TurnoverMap<JsonRpcId, OpenCall>();
  /** Of these, the ones that ask only whether the process lives: nobody's calls. */
  readonly #probes = new Set<JsonRpcId>();
  readonly #heard: Heard;
  readonly #idleWaiters: Waiters;
  /** Null where the process ends with its channel. */
  readonly #lasting: LastingChannel | null;
  readonly #replica: string;
  #listener: ((message: ServerMessage) => void) | null = null;
  #lastId: number;
  #unsent = 0;
  #lastEndAt: number;
  #closed = false;

  constructor({ replica, channel, clock, onDropped, deadCallError, idsAbove, memory }: LinkOptions) {
    this.#replica = replica;
    this.#lastId = idsAbove ?? 0;
    this.#lasting = lastingOf(channel);
    this.#channel = channel;
    this.#clock = clock;
    this.#idleWaiters = new Waiters(clock);
    this.#lastEndAt = clock.now();
    this.#dropped = new DroppedLines(onDropped);
    this.#heard = new Heard(clock.now());
    takeLines(channel, memory ?? null, (line) => this.#take(line));
    channel.onLost?.((id, error) => this.#open.get(id)?.fail(error));
    this.over = channel.closed.then(async () => {
      this.#closed = true;
      const error = await deadCallError();
      for (const call of this.#open.values()) call.fail(error);
    });
  }

  /** False once the channel is over. */
  get open(): boolean {
    return !this.#closed;
  }

  get callsInFlight(): number {
    return this.#open.size - this.#probes.size;
  }

  /** What was heard from the process, and since when it owes an answer. */
  get silence(): Silence {
    return this.#heard.silence;
  }

  /** How long no call has been in flight, in milliseconds. */
  get idleMs(): number {
    return this.callsInFlight > 0 ? 0 : this.#clock.now() - this.#lastEndAt;
  }

  /**
   * Sends a request and waits for its answer. A JSON-RPC error of the server is an answer.
   * @throws GantryError replica_failed when the channel ends first, call_timeout, cancelled, queue_full
   */
  call(method: string, params: Params, options: CallOptions): Promise<JsonRpcOutcome> {
    if (this.#closed) return Promise.reject(notSent());
    if (options.signal?.aborted) return Promise.reject(cancelled(options.signal.reason));
    if (this.#open.size >= MAX_CALLS || this.#unsent > MAX_UNSENT) return Promise.reject(full());
    const id = ++this.#lastId;
    const call = this.#begin(id, method, options);
    this.#request(id, call, method, params === undefined ? undefined : call.withOwnToken(params));
    if (this.#lasting !== null) {
      options.onSent?.({ replica: this.#replica, id, line: this.#lasting.linesSent });
    }
    return call.outcome;
  }

  /**
   * Waits for the answer of a call that an earlier link to the same process sent (`CallOptions.onSent`). To be asked in
   * the turn in which this link is made, or the answer may have come before.
   * @param callersToken in place of which the call has its id as progress token; absent where there was none
   * @throws GantryError replica_failed when the channel ends first or the call never arrived, call_timeout, cancelled
   */
  resume(
    { id, line }: SentCall,
    method: string,
    callersToken: unknown,
    options: CallOptions,
  ): Promise<JsonRpcOutcome> {
    const call = this.#begin(id, method, options);
    call.replacedToken(callersToken);
    this.#open.set(id, call);
    this.#lasting?.connected.then(
      ({ linesTaken }) => {
        if (line > linesTaken) call.fail(neverArrived());
      },
      () => {}, // the channel is over, and with it the call
    );
    return call.outcome;
  }

  /**
   * Asks only whether the process lives. No call: it is not in flight, holds up no drain, and its answer is not owed.
   * @throws GantryError replica_failed when the channel ends first, call_timeout
   */
  async probe(method: string, params: Params, timeoutMs: number): Promise<JsonRpcOutcome> {
    if (this.#closed) throw notSent();
    const id = ++this.#lastId;
    const call = new OpenCall({
      ...{ id, method, clock: this.#clock, startedAt: this.#clock.now(), onEnd: () => this.#ended(id) },
      options: { callTimeoutMs: timeoutMs, maxCallMs: timeoutMs },
      onWithdrawn: () => {}, // nobody's calls: the process need not hear of it
    });
    this.#probes.add(id);
    this.#request(id, call, method, params);
    return call.outcome;
  }

  /** @throws GantryError replica_failed when the channel is over */
  async notify(method: string, params?: Params): Promise<void> {
    await this.#send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) });
  }

  /** Answers a request of the server. @throws GantryError replica_failed when the channel is over */
  async respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void> {
    await this.#send({ jsonrpc: '2.0', id, ...answer });
  }

  /** Messages that belong to no call; at most one listener. */
  listen(listener: ((message: ServerMessage) => void) | null): void {
    this.#listener = listener;
  }

  /** Resolves when no call is open, or after `deadlineMs`. */
  idle(deadlineMs: number): Promise<void> {
    if (this.callsInFlight === 0) return Promise.resolve();
    return this.#idleWaiters.wait(deadlineMs);
  }

  #begin(id: number, method: string, options: CallOptions): OpenCall {
    const onEnd = (): void => {
      this.#ended(id);
      if (this.callsInFlight === 0) this.#lastEndAt = this.#clock.now();
    };
    const startedAt = this.#clock.now();
    const onWithdrawn = (why: string): void =>
      void this.notify('notifications/cancelled', { requestId: id, reason: why }).catch(() => {
        // The channel is over: there is nobody left to tell.
      });
    const call = new OpenCall({ id, method, clock: this.#clock, startedAt, options, onEnd, onWithdrawn });
    this.#heard.asked(id, startedAt);
    return call;
  }

  #request(id: number, call: OpenCall, method: string, params: Params): void {
    this.#open.set(id, call);
    this.#send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }).catch(() => {
      // Whether bytes left is unknown; `closed` follows and ends the call with the reason.
    });
  }

  async #send(message: object): Promise<void> {
    if (this.#closed) throw notSent();
    const text = JSON.stringify(message);
    this.#unsent += text.length;
    try {
      await this.#channel.send(text);
    } finally {
      this.#unsent -= text.length;
    }
  }

  #take(line: Buffer): void {
    const message = readServerLine(line);
    if (message.kind === 'unusable') return this.#dropped.add(message.why);
    this.#heard.message(this.#clock.now());
    if (message.kind !== 'response') return this.#route(message);
    this.#heard.answered(message.id);
    const call = this.#open.get(message.id);
    if (call === undefined) return this.#dropped.add('unknown_id');
    call.answer(message.outcome);
  }

  #route(message: ServerMessage): void {
    if (message.kind === 'notification' && message.method === 'notifications/progress') {
      const token = message.params?.progressToken;
      const call = typeof token === 'number' ? this.#open.get(token) : undefined;
      return call?.progress(message) === true ? undefined : this.#dropped.add('unknown_progress_token');
    }
    const subscription = subscriptionOf(message);
    if (subscription !== undefined) {
      const call = typeof subscription === 'number' ? this.#open.get(subscription) : undefined;
      return call === undefined ? this.#dropped.add('unknown_subscription') : call.message(message);
    }
    // stdio has no correlation: what is not a change belongs to the newest open call that takes it (docs/architecture.md).
    const taker = isChange(message)
      ? undefined
      : this.#open.values().findLast((call) => call.takesUnattributed);
    if (taker !== undefined) return taker.message(message);
    if (this.#listener !== null) return this.#listener(message);
    if (message.kind === 'notification') return this.#dropped.add('unattributed_notification');
    if (message.method !== 'ping') this.#dropped.add('unattributed_request');
    const answer = message.method === 'ping' ? { result: {} } : { error: NOBODY_TO_ASK };
    this.respond(message.id, answer).catch(() => {
      // The channel ended meanwhile; the server waits for nothing any more.
    });
  }

  #ended(id: number): void {
    this.#open.delete(id);
    this.#probes.delete(id);
    this.#heard.withdrawn(id);
    if (this.callsInFlight === 0) this.#idleWaiters.release();
  }
}
