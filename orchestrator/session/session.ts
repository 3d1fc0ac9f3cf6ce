import { type Clock, type JsonRpcId, newSessionId, sessionKey } from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import { type Answer, Calls, type EncodeError } from './calls.ts';
import type { ClientMessage } from './client-message.ts';
import { encodeMessage } from './encode.ts';
import type { EventBudget } from './event-budget.ts';
import type { EventLog } from './event-log.ts';
import { type OpenCallNote, OpenWork } from './open-work.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import { Questions } from './questions.ts';
import { type RestoredStreams, Streams } from './streams.ts';

type Request = Extract<ClientMessage, { kind: 'request' }>;

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
  /** Remembers what is under way for the next start of the orchestrator; null where that does not take it over. */
  readonly notes: Pick<EventLog, 'note'> | null;
  /** What an earlier start knew of it; absent for a new one. */
  readonly restored?: RestoredSession;
};

export type RestoredSession = {
  readonly key: string;
  readonly version: string;
  /** When its client was heard last, in milliseconds since the epoch. */
  readonly lastRequestAt: number;
  readonly streams: RestoredStreams;
  /** What its server has asked and waits for. */
  readonly questions: readonly JsonRpcId[];
};

/**
 * A client's conversation under the revisions 2025-03-26 to 2025-11-25. A message goes to exactly one stream:
 * the response of the call it belongs to, else the GET stream.
 */
export class Session {
  /** Null until its client has named it: what is stored of it is its key. */
  id: string | null;
  readonly key: string;
  readonly server: string;
  readonly principal: string;
  readonly replica: string | null;
  readonly #streams: Streams;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #calls: Calls;
  readonly #questions: Questions;
  readonly #onDropped: (why: string) => void;
  #ended = false;
  #version = '';

  constructor(options: SessionOptions) {
    const { restored } = options;
    this.id = restored === undefined ? newSessionId() : null;
    this.key = restored?.key ?? sessionKey(this.id ?? '');
    const work = new OpenWork(this.key, options.notes);
    this.server = options.server;
    this.principal = options.principal;
    this.replica = options.backend.replica;
    this.#streams = new Streams(options, restored?.streams ?? null);
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    const tell: Session['tell'] = (message, push) => this.tell(message, push);
    this.#calls = new Calls(
      { ...options, streams: this.#streams, work, tell },
      restored?.lastRequestAt ?? options.clock.now(),
    );
    this.#questions = new Questions(options, work, restored?.questions ?? []);
    if (restored !== undefined) this.agreed(restored.version);
    this.#backend.listen((message) => tell(message, (text, lost) => this.#streams.announce(text, lost)));
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

  /** Begins the ids of its streams. */
  get streamName(): string {
    return this.#streams.name;
  }

  /** When the client was heard last, in milliseconds since the epoch; now, while a call is open. */
  get lastRequestAt(): number {
    return this.#calls.lastRequestAt;
  }

  /** How long the client has not asked for anything. Zero while a call is open. */
  get idleMs(): number {
    return this.#clock.now() - this.lastRequestAt;
  }

  /** One request: `Calls.one`. */
  call(
    id: JsonRpcId,
    method: string,
    params: Record<string, unknown> | undefined,
    patienceMs: number,
  ): Promise<Answer> {
    return this.#calls.one(id, method, params, patienceMs);
  }

  /** Requests that came together: `Calls.all`. */
  callAll(requests: readonly Request[], patienceMs: number): Promise<Answer> {
    return this.#calls.all(requests, patienceMs);
  }

  /** @throws GantryError invalid_request when a call with one of these ids is open */
  checkFree(requests: readonly { readonly id: JsonRpcId }[]): void {
    this.#calls.checkFree(requests);
  }

  /** Calls that an earlier start of the orchestrator left open: `Calls.goOn`. */
  goOn(calls: readonly OpenCallNote[]): void {
    this.#calls.goOn(calls);
  }

  async notify(method: string, params: Record<string, unknown> | undefined): Promise<void> {
    this.#calls.heard();
    if (method !== 'notifications/cancelled') return this.#backend.notify(method, params);
    // Ids towards the process are the link's own, so it says the word itself.
    this.#calls.cancel(params?.requestId, params?.reason);
  }

  /** The client's answer to a request of the server; an answer nobody asked for is dropped. */
  async respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void> {
    this.#calls.heard();
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
    this.#calls.end(why);
    this.#streams.end();
    this.#backend.close(why);
  }

  /** This process ends, and the session does not: the next one takes it over. */
  leave(): void {
    this.#streams.leave();
  }

  /** Gives the client what the server says. @param push says it on a stream, or that nobody can get it */
  private tell(message: ServerMessage, push: (text: string, lost: () => void) => void): void {
    if (!this.#questions.remember(message)) return this.#questions.drop(message);
    push(encodeMessage(message), () => this.#questions.drop(message));
  }
}
