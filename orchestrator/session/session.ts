import {
  type Clock,
  GantryError,
  type JsonRpcId,
  type JsonRpcOutcome,
  newSessionId,
} from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import type { ClientMessage } from './client-message.ts';
import { encodeMessage, encodeOutcome } from './encode.ts';
import { endedMeanwhile, isCancelled } from './endings.ts';
import type { EventBudget } from './event-budget.ts';
import { Exchange, STREAM } from './exchange.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import { Questions } from './questions.ts';
import type { Stream } from './stream.ts';
import { Streams } from './streams.ts';

/** An answer that is on its way: at once, or as a stream when the server has something to say before it. */
export type Answer =
  | { readonly kind: 'json'; readonly outcome: JsonRpcOutcome }
  /** The answers of a batch, each as text. */
  | { readonly kind: 'list'; readonly answers: readonly string[] }
  | { readonly kind: 'stream'; readonly stream: OutStream<OutEvent> };

type Request = Extract<ClientMessage, { kind: 'request' }>;

/** How a failure becomes a JSON-RPC message; the numbers are the business of `http`. */
export type EncodeError = (id: JsonRpcId, error: unknown) => string;

export type SessionOptions = {
  readonly server: string;
  readonly principal: string;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly log: EventBudget;
  /** See `SessionsOptions`. */
  readonly pollAfterMs: number | null;
  readonly encodeError: EncodeError;
  /** A message that could be given to nobody, by a short stable word. */
  readonly onDropped: (why: string) => void;
};

/**
 * A client's conversation under the revisions 2025-03-26 to 2025-11-25. A message goes to exactly one stream:
 * the response of the call it belongs to, else the GET stream.
 */
export class Session {
  readonly id = newSessionId();
  readonly server: string;
  readonly principal: string;
  readonly replica: string | null;
  readonly #streams: Streams;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #calls = new Map<JsonRpcId, AbortController>();
  readonly #questions: Questions;
  readonly #onDropped: (why: string) => void;
  readonly #encodeError: EncodeError;
  #lastRequestAt: number;
  #ended = false;
  #version = '';

  constructor(options: SessionOptions) {
    this.server = options.server;
    this.principal = options.principal;
    this.replica = options.backend.replica;
    this.#streams = new Streams(options);
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    this.#encodeError = options.encodeError;
    this.#lastRequestAt = options.clock.now();
    this.#questions = new Questions(options);
    this.#backend.listen((message) =>
      this.#tell(message, (text, lost) => this.#streams.announce(text, lost)),
    );
  }

  /** The revision that was agreed upon; empty before the handshake. */
  get version(): string {
    return this.#version;
  }

  agreed(version: string): void {
    this.#version = version;
    this.#streams.agreed(version);
  }

  /** Settles when the process behind the session is gone and its calls have ended. */
  get over(): Promise<void> {
    return this.#backend.over;
  }

  /** Whether it has a stream open to hear of processes that others use too. */
  get isListening(): boolean {
    return this.#backend.replica === null && this.#streams.isListening;
  }

  /** How long the client has not asked for anything. Zero while a call is open. */
  get idleMs(): number {
    return this.#calls.size > 0 ? 0 : this.#clock.now() - this.#lastRequestAt;
  }

  /**
   * One request. The answer is JSON unless the server says something else first, or is still busy after
   * `patienceMs`: then it is a stream, which can be kept alive.
   * @throws GantryError replica_failed, call_timeout, cancelled; only before a stream was begun
   */
  async call(
    id: JsonRpcId,
    method: string,
    params: Record<string, unknown> | undefined,
    patienceMs: number,
  ): Promise<Answer> {
    const exchange = new Exchange(() => this.#streams.begin());
    const outcome = this.#start(id, method, params, exchange);
    try {
      const first = await exchange.first(outcome, this.#clock, patienceMs);
      if (first !== STREAM) return { kind: 'json', outcome: first };
      void this.#encoded(id, outcome).then((text) => {
        if (text !== null) exchange.stream.push(text);
        this.#finish(exchange.stream);
      });
    } catch (error) {
      if (!isCancelled(error)) throw error;
      if (this.#ended) throw endedMeanwhile(this.server);
      exchange.stream.finish(); // a cancelled request gets no answer, so its response is an empty stream
    }
    return { kind: 'stream', stream: exchange.reader };
  }

  /**
   * Requests that came together: their answers go back together, as a list or on one stream.
   * @throws GantryError invalid_request when one of the ids is in use; then none of them was sent
   */
  async callAll(requests: readonly Request[], patienceMs: number): Promise<Answer> {
    this.checkFree(requests);
    const exchange = new Exchange(() => this.#streams.begin());
    const answers = requests.map(async ({ id, method, params }) => {
      const outcome = this.#start(id, method, params, exchange);
      return this.#encoded(id, outcome);
    });
    const all = Promise.all(answers).then((texts) => texts.filter((text) => text !== null));
    const first = await exchange.first(all, this.#clock, patienceMs);
    if (first !== STREAM) {
      if (first.length > 0) return { kind: 'list', answers: first };
      exchange.stream.finish(); // all were cancelled: an array without elements is no answer
      return { kind: 'stream', stream: exchange.reader };
    }
    const { stream, reader } = exchange;
    for (const answer of answers) void answer.then((text) => text !== null && stream.push(text));
    void all.then(() => this.#finish(stream));
    return { kind: 'stream', stream: reader };
  }

  /** @throws GantryError invalid_request when a call with one of these ids is open */
  checkFree(requests: readonly { readonly id: JsonRpcId }[]): void {
    const taken = requests.find(({ id }) => this.#calls.has(id));
    if (taken === undefined) return;
    const id = JSON.stringify(taken.id);
    throw new GantryError('invalid_request', `A call with id ${id} is already open in this session.`, {
      detail: { id: taken.id },
    });
  }

  async notify(method: string, params: Record<string, unknown> | undefined): Promise<void> {
    this.#lastRequestAt = this.#clock.now();
    if (method !== 'notifications/cancelled') return this.#backend.notify(method, params);
    // Ids towards the process are the link's own, so it says the word itself.
    const requestId = params?.requestId;
    const call =
      typeof requestId === 'string' || typeof requestId === 'number' ? this.#calls.get(requestId) : undefined;
    call?.abort(params?.reason);
  }

  /** The client's answer to a request of the server; an answer nobody asked for is dropped. */
  async respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void> {
    this.#lastRequestAt = this.#clock.now();
    if (!this.#questions.answered(id)) return this.#onDropped('unasked_response');
    await this.#backend.respond(id, answer);
  }

  /** The GET stream. @throws GantryError invalid_state when there is one already */
  listen(): OutStream<OutEvent> {
    return this.#streams.listen();
  }

  /** The rest of a stream that broke off, see `Streams.resume`. */
  resume(lastEventId: string): Promise<OutStream<OutEvent> | null> {
    return this.#streams.resume(lastEventId);
  }

  /** Open calls end with an error before their streams close; a client that is told nothing waits for ever. */
  end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const call of this.#calls.values()) call.abort(why);
    this.#streams.end();
    this.#backend.close(why);
  }

  /** Sends a request; what the server says before the answer goes to the exchange. */
  #start(
    id: JsonRpcId,
    method: string,
    params: Record<string, unknown> | undefined,
    exchange: Exchange,
  ): Promise<JsonRpcOutcome> {
    this.#lastRequestAt = this.#clock.now();
    this.checkFree([{ id }]);
    const abort = new AbortController();
    this.#calls.set(id, abort);
    const onMessage = (message: ServerMessage): void =>
      this.#tell(message, (text, lost) => exchange.stream.push(text, lost));
    const outcome = this.#backend.call(method, params, { signal: abort.signal, onMessage });
    const ended = (): void => {
      this.#calls.delete(id);
      this.#lastRequestAt = this.#clock.now();
    };
    outcome.then(ended, ended); // before anybody who waits for the outcome goes on
    return outcome;
  }

  /** The answer as text, an error like any other; null where there is to be none. */
  async #encoded(id: JsonRpcId, outcome: Promise<JsonRpcOutcome>): Promise<string | null> {
    try {
      return encodeOutcome(id, await outcome);
    } catch (error) {
      // A cancelled request gets no answer (MCP 2025-11-25, basic/utilities/cancellation), unless the session itself ends.
      if (!isCancelled(error)) return this.#encodeError(id, error);
      return this.#ended ? this.#encodeError(id, endedMeanwhile(this.server)) : null;
    }
  }

  #finish(stream: Stream): void {
    if (this.#ended) stream.drop();
    else stream.finish();
  }

  /** Gives the client what the server says. @param push says it on a stream, or that nobody can get it */
  #tell(message: ServerMessage, push: (text: string, lost: () => void) => void): void {
    if (!this.#questions.remember(message)) return this.#questions.drop(message);
    push(encodeMessage(message), () => this.#questions.drop(message));
  }
}
