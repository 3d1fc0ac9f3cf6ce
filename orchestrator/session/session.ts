import {
  type Clock,
  GantryError,
  type JsonRpcId,
  type JsonRpcOutcome,
  newSessionId,
} from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import type { EventBudget } from './event-budget.ts';
import { Exchange } from './exchange.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import { Stream } from './stream.ts';
import { Streams } from './streams.ts';

/** An answer that is on its way: at once, or as a stream when the server has something to say before it. */
export type Answer =
  | { readonly kind: 'json'; readonly outcome: JsonRpcOutcome }
  | { readonly kind: 'stream'; readonly stream: OutStream<OutEvent> };

/** How a failure becomes a JSON-RPC message; the numbers are the business of `http`. */
export type EncodeError = (id: JsonRpcId, error: unknown) => string;

export type SessionOptions = {
  readonly server: string;
  readonly principal: string;
  readonly backend: Backend;
  readonly clock: Clock;
  /** The revision that was agreed upon. */
  readonly version: string;
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
  readonly version: string;
  readonly #streams: Streams;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #calls = new Map<JsonRpcId, AbortController>();
  /** Requests of the server that the client has been sent and has not answered. */
  readonly #asked = new Set<JsonRpcId>();
  readonly #onDropped: (why: string) => void;
  readonly #encodeError: EncodeError;
  #lastRequestAt: number;
  #ended = false;

  constructor(options: SessionOptions) {
    this.server = options.server;
    this.principal = options.principal;
    this.version = options.version;
    this.#streams = new Streams(options);
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    this.#encodeError = options.encodeError;
    this.#lastRequestAt = options.clock.now();
    this.#backend.listen((message) => {
      this.#remember(message);
      this.#streams.announce(encode(message));
    });
  }

  /** Settles when the process behind the session is gone and its calls have ended. */
  get over(): Promise<void> {
    return this.#backend.over;
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
      if (!(first instanceof Stream)) return { kind: 'json', outcome: first };
      void this.#finish(id, first, outcome);
    } catch (error) {
      if (!isCancelled(error)) throw error;
      if (this.#ended) throw endedMeanwhile(this.server);
      exchange.stream().finish(); // a cancelled request gets no answer, so its response is an empty stream
    }
    return { kind: 'stream', stream: this.#streams.read(exchange.stream()) };
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
    if (!this.#asked.delete(id)) return this.#onDropped('unasked_response');
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
    if (this.#calls.has(id)) {
      throw new GantryError(
        'invalid_request',
        `A call with id ${JSON.stringify(id)} is already open in this session.`,
        { detail: { id } },
      );
    }
    const abort = new AbortController();
    this.#calls.set(id, abort);
    const onMessage = (message: ServerMessage): void => {
      this.#remember(message);
      exchange.stream().push(encode(message));
    };
    return this.#backend.call(method, params, { signal: abort.signal, onMessage }).finally(() => {
      this.#calls.delete(id);
      this.#lastRequestAt = this.#clock.now();
    });
  }

  async #finish(id: JsonRpcId, stream: Stream, outcome: Promise<JsonRpcOutcome>): Promise<void> {
    try {
      stream.push(encodeOutcome(id, await outcome));
    } catch (error) {
      // A cancelled request gets no answer (MCP 2025-11-25, basic/utilities/cancellation), unless the session itself ends.
      if (!isCancelled(error)) stream.push(this.#encodeError(id, error));
      else if (this.#ended) stream.push(this.#encodeError(id, endedMeanwhile(this.server)));
    }
    if (this.#ended) stream.drop();
    else stream.finish();
  }

  #remember(message: ServerMessage): void {
    if (message.kind === 'request') this.#asked.add(message.id);
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof GantryError && error.code === 'cancelled';
}

function endedMeanwhile(server: string): GantryError {
  return new GantryError(
    'session_not_found',
    'The session ended while this call was open. The call may have run.',
    {
      detail: { server, mayHaveRun: true },
    },
  );
}

/** The result's text is passed on as the server wrote it. */
export function encodeOutcome(id: JsonRpcId, outcome: JsonRpcOutcome): string {
  if (outcome.ok) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${outcome.raw}}`;
  return JSON.stringify({ jsonrpc: '2.0', id, error: outcome.error });
}

function encode(message: ServerMessage): string {
  const { method, params } = message;
  const id = message.kind === 'request' ? { id: message.id } : {};
  return JSON.stringify({ jsonrpc: '2.0', ...id, method, ...(params === undefined ? {} : { params }) });
}
