import {
  type Clock,
  GantryError,
  type JsonRpcId,
  type JsonRpcOutcome,
  newSessionId,
} from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import { OutStream } from './out-stream.ts';

/** Messages kept for a GET stream that is not open yet: `roots/list` often comes before the client listens. */
const MAX_WAITING_MESSAGES = 100;
/** The same in characters: one server must not fill the memory that all share. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Requests of the server that the client may leave unanswered. */
const MAX_ASKED = 1000;

/** An answer that is on its way: at once, or as a stream when the server has something to say before it. */
export type Answer =
  | { readonly kind: 'json'; readonly outcome: JsonRpcOutcome }
  | { readonly kind: 'stream'; readonly stream: OutStream };

/** How a failure becomes a JSON-RPC message; the numbers are the business of `http`. */
export type EncodeError = (id: JsonRpcId, error: unknown) => string;

export type SessionOptions = {
  readonly server: string;
  readonly principal: string;
  readonly backend: Backend;
  readonly clock: Clock;
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
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #calls = new Map<JsonRpcId, AbortController>();
  /** Requests of the server that the client has been sent and has not answered. */
  readonly #asked = new Set<JsonRpcId>();
  readonly #waiting: string[] = [];
  #waitingSize = 0;
  readonly #onDropped: (why: string) => void;
  readonly #encodeError: EncodeError;
  #listening: OutStream | null = null;
  #lastRequestAt: number;
  #ended = false;

  constructor(options: SessionOptions) {
    this.server = options.server;
    this.principal = options.principal;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    this.#encodeError = options.encodeError;
    this.#lastRequestAt = options.clock.now();
    this.#backend.listen((message) => this.#toListener(message));
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
    this.#lastRequestAt = this.#clock.now();
    if (this.#calls.has(id)) {
      throw new GantryError(
        'invalid_request',
        `A call with id ${JSON.stringify(id)} is already open in this session.`,
        {
          detail: { id },
        },
      );
    }
    const abort = new AbortController();
    const stream = new OutStream();
    const streaming = Promise.withResolvers<'stream'>();
    this.#calls.set(id, abort);
    const onMessage = (message: ServerMessage): void => {
      if (this.#deliver(message, stream)) streaming.resolve('stream');
      else this.#toListener(message); // its client has left; the GET stream may still be read
    };
    const outcome = this.#backend.call(method, params, { signal: abort.signal, onMessage }).finally(() => {
      this.#calls.delete(id);
      this.#lastRequestAt = this.#clock.now();
    });
    const stopWaiting = this.#clock.after(patienceMs, () => streaming.resolve('stream'));
    try {
      const first = await Promise.race([outcome, streaming.promise]);
      if (first !== 'stream') return { kind: 'json', outcome: first };
      void this.#finish(id, stream, outcome);
    } catch (error) {
      if (!isCancelled(error)) throw error;
      if (this.#ended) throw endedMeanwhile(this.server);
      stream.end(); // a cancelled request gets no answer, so its response is an empty stream
    } finally {
      stopWaiting();
    }
    return { kind: 'stream', stream };
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
  openStream(): OutStream {
    if (this.#listening !== null && !this.#listening.ended) {
      throw new GantryError('invalid_state', 'This session already has a GET stream: only one is allowed.');
    }
    const stream = new OutStream();
    this.#listening = stream;
    for (const message of this.#waiting.splice(0)) stream.push(message);
    this.#waitingSize = 0;
    return stream;
  }

  /** Open calls end with an error before their streams close; a client that is told nothing waits for ever. */
  end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const call of this.#calls.values()) call.abort(why);
    this.#listening?.end();
    this.#backend.close(why);
  }

  async #finish(id: JsonRpcId, stream: OutStream, outcome: Promise<JsonRpcOutcome>): Promise<void> {
    try {
      stream.push(encodeOutcome(id, await outcome));
    } catch (error) {
      // A cancelled request gets no answer (MCP 2025-11-25, basic/utilities/cancellation), unless the session itself ends.
      if (!isCancelled(error)) stream.push(this.#encodeError(id, error));
      else if (this.#ended) stream.push(this.#encodeError(id, endedMeanwhile(this.server)));
    }
    stream.end();
  }

  #toListener(message: ServerMessage): void {
    if (this.#listening !== null && this.#deliver(message, this.#listening)) return;
    const text = encodeMessage(message);
    const room =
      this.#waiting.length < MAX_WAITING_MESSAGES && this.#waitingSize + text.length <= MAX_WAITING;
    if (!room || !this.#mayAsk(message)) return this.#drop(message);
    this.#waiting.push(text);
    this.#waitingSize += text.length;
  }

  /** @returns false when the stream is not read any more. */
  #deliver(message: ServerMessage, stream: OutStream): boolean {
    if (stream.ended) return false;
    if (this.#mayAsk(message)) return stream.push(encodeMessage(message));
    this.#drop(message);
    return true;
  }

  /** Remembers a request of the server, so that the client's answer is let through once. */
  #mayAsk(message: ServerMessage): boolean {
    if (message.kind !== 'request') return true;
    if (this.#asked.size >= MAX_ASKED) return false;
    this.#asked.add(message.id);
    return true;
  }

  /** Nobody can be given it. A server that asked is told so, or it would wait for ever. */
  #drop(message: ServerMessage): void {
    this.#onDropped('nobody_listens');
    if (message.kind !== 'request') return;
    this.#asked.delete(message.id);
    this.#backend.respond(message.id, { error: NOBODY_LISTENS }).catch(() => {
      // The process is gone as well: nobody waits any more.
    });
  }
}

const NOBODY_LISTENS = { code: -32000, message: 'The client does not listen.' };

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

export function encodeMessage(message: ServerMessage): string {
  const { method, params } = message;
  const id = message.kind === 'request' ? { id: message.id } : {};
  return JSON.stringify({ jsonrpc: '2.0', ...id, method, ...(params === undefined ? {} : { params }) });
}
