import { type Clock, GantryError, type JsonRpcId, type JsonRpcOutcome } from '../kernel/index.ts';
import type { Silence } from '../resilience/index.ts';
import type { Channel } from './channel.ts';
import { Heard } from './heard.ts';
import { type CallOptions, cancelled, OpenCall } from './open-call.ts';
import { type Params, readServerLine, type ServerMessage } from './server-line.ts';

export type LinkOptions = {
  readonly channel: Channel;
  readonly clock: Clock;
  /** Lines or messages that could not be used, by a short stable word; those of one read are told together. */
  readonly onDropped: (why: string, count: number) => void;
  /** The error that calls in flight end with when the channel is over; may take a moment to learn why it is. */
  readonly deadCallError: () => Promise<GantryError>;
};

/** Far above any client's needs; a process that answers nobody must not collect calls without end. */
const MAX_CALLS = 1024;
/** A process that does not read its stdin may hold so much of ours, in characters. */
const MAX_UNSENT = 16 * 1024 * 1024;

/** Changes are news for the holder of the replica, not part of whatever call happens to be open. */
const CHANGE = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

/**
 * JSON-RPC over a channel. Ids towards the process are the link's own, so two clients that both send id 1
 * never cross; progress tokens likewise. When the channel ends, every open call ends with an error.
 */
export class Link {
  /** Settles when the channel is over and every call in flight has ended with its error. */
  readonly over: Promise<void>;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #onDropped: (why: string, count: number) => void;
  /** Dropped and not yet told: a flood of them must not cost a fact each. */
  readonly #dropped = new Map<string, number>();
  readonly #open = new Map<JsonRpcId, OpenCall>();
  /** Of these, the ones that ask only whether the process lives: nobody's calls. */
  readonly #probes = new Set<JsonRpcId>();
  readonly #heard: Heard;
  readonly #idleWaiters = new Set<() => void>();
  #listener: ((message: ServerMessage) => void) | null = null;
  #lastId = 0;
  #unsent = 0;
  #lastEndAt: number;
  #closed = false;

  constructor({ channel, clock, onDropped, deadCallError }: LinkOptions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#lastEndAt = clock.now();
    this.#onDropped = onDropped;
    this.#heard = new Heard(clock.now());
    channel.onLine((line) => this.#take(line));
    channel.onLost?.((id, error) => this.#open.get(id)?.fail(error));
    this.over = channel.closed.then(async () => {
      this.#closed = true;
      const error = await deadCallError();
      for (const call of [...this.#open.values()]) call.fail(error);
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
  async call(method: string, params: Params, options: CallOptions): Promise<JsonRpcOutcome> {
    if (this.#closed) throw notSent();
    if (options.signal?.aborted) throw cancelled(options.signal.reason);
    if (this.#open.size >= MAX_CALLS || this.#unsent > MAX_UNSENT) throw full();
    const id = ++this.#lastId;
    const onEnd = (): void => {
      this.#lastEndAt = this.#clock.now();
      this.#ended(id);
    };
    const call = new OpenCall({ id, method, clock: this.#clock, options, onEnd });
    call.onWithdrawn = (why) =>
      void this.notify('notifications/cancelled', { requestId: id, reason: why }).catch(() => {
        // The channel is over: there is nobody left to tell.
      });
    this.#heard.asked(id, this.#clock.now());
    this.#request(id, call, method, params === undefined ? undefined : call.withOwnToken(params));
    return call.outcome;
  }

  /**
   * A request of our own that only asks whether the process lives. It is no call: it neither counts as in flight nor
   * holds up a drain, and the process does not owe its answer.
   * @throws GantryError replica_failed when the channel ends first, call_timeout
   */
  async probe(method: string, params: Params, timeoutMs: number): Promise<JsonRpcOutcome> {
    if (this.#closed) throw notSent();
    const id = ++this.#lastId;
    const options = { callTimeoutMs: timeoutMs, maxCallMs: timeoutMs };
    const call = new OpenCall({ id, method, clock: this.#clock, options, onEnd: () => this.#ended(id) });
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
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#idleWaiters.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(deadlineMs, done);
      this.#idleWaiters.add(done);
    });
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
    if (message.kind === 'unusable') return this.#drop(message.why);
    this.#heard.message(this.#clock.now());
    if (message.kind !== 'response') return this.#route(message);
    this.#heard.answered(message.id);
    const call = this.#open.get(message.id);
    if (call === undefined) return this.#drop('unknown_id');
    call.answer(message.outcome);
  }

  #route(message: ServerMessage): void {
    if (message.kind === 'notification' && message.method === 'notifications/progress') {
      const token = message.params?.progressToken;
      const call = typeof token === 'number' ? this.#open.get(token) : undefined;
      return call?.progress(message) === true ? undefined : this.#drop('unknown_progress_token');
    }
    const subscription = subscriptionOf(message);
    if (subscription !== undefined) {
      const call = typeof subscription === 'number' ? this.#open.get(subscription) : undefined;
      return call === undefined ? this.#drop('unknown_subscription') : call.message(message);
    }
    // stdio has no correlation: what is not a change belongs to the newest open call that takes it (docs/architecture.md).
    const isChange = message.kind === 'notification' && CHANGE.test(message.method);
    const taker = isChange ? undefined : [...this.#open.values()].findLast((call) => call.takesUnattributed);
    if (taker !== undefined) return taker.message(message);
    if (this.#listener !== null) return this.#listener(message);
    if (message.kind === 'notification') return this.#drop('unattributed_notification');
    if (message.method !== 'ping') this.#drop('unattributed_request');
    const answer = message.method === 'ping' ? { result: {} } : { error: NOBODY_TO_ASK };
    this.respond(message.id, answer).catch(() => {
      // The channel ended meanwhile; the server waits for nothing any more.
    });
  }

  #drop(why: string): void {
    if (this.#dropped.size === 0) queueMicrotask(() => this.#tellDropped());
    this.#dropped.set(why, (this.#dropped.get(why) ?? 0) + 1);
  }

  #tellDropped(): void {
    const dropped = [...this.#dropped];
    this.#dropped.clear();
    for (const [why, count] of dropped) this.#onDropped(why, count);
  }

  #ended(id: number): void {
    this.#open.delete(id);
    this.#probes.delete(id);
    this.#heard.withdrawn(id);
    if (this.callsInFlight > 0) return;
    for (const done of [...this.#idleWaiters]) done();
  }
}

/** The id of the `subscriptions/listen` request that a message answers (MCP 2026-07-28): an id of the link's own. */
function subscriptionOf({ kind, params }: ServerMessage): unknown {
  const meta = kind === 'notification' ? params?._meta : undefined;
  if (typeof meta !== 'object' || meta === null) return undefined;
  return (meta as Record<string, unknown>)['io.modelcontextprotocol/subscriptionId'];
}

const NOBODY_TO_ASK = { code: -32601, message: 'No client is attached that could answer this request.' };

function full(): GantryError {
  return new GantryError(
    'queue_full',
    'The server is busy with as many calls as it may have; this one was not sent.',
    {
      detail: { mayHaveRun: false, retryAfterMs: 1000 },
    },
  );
}

function notSent(): GantryError {
  return new GantryError(
    'replica_failed',
    'The process had ended before the call was sent; it did not run.',
    {
      detail: { mayHaveRun: false },
    },
  );
}
