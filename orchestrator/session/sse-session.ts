import { GantryError, type JsonRpcId, newSessionId } from '../kernel/index.ts';
import type { ClientMessage } from './client-message.ts';
import { encodeOutcome } from './encode.ts';
import { type OutEvent, OutStream } from './out-stream.ts';
import type { Sender } from './sender.ts';
import type { EncodeError } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Who the stream belongs to. */
export type SseOwner = { readonly server: string; readonly principal: string };

/**
 * A client of the transport of 2024-11-05: it holds one stream, on which everything comes down, and posts its
 * messages elsewhere. The session behind it begins with its initialize and ends with the stream.
 */
export class SseSession {
  readonly id = newSessionId();
  readonly owner: SseOwner;
  readonly stream = new OutStream<OutEvent>();
  readonly #sessions: Sessions;
  readonly #encodeError: EncodeError;
  /** Requests that have no answer yet. */
  readonly #open = new Map<JsonRpcId, Promise<void>>();
  readonly #gone = new AbortController();
  #state: 'new' | 'beginning' | { readonly sessionId: string } = 'new';

  constructor(options: { owner: SseOwner; sessions: Sessions; encodeError: EncodeError }) {
    this.owner = options.owner;
    this.#sessions = options.sessions;
    this.#encodeError = options.encodeError;
  }

  get isNew(): boolean {
    return this.#state === 'new';
  }

  /**
   * Takes a message; what becomes of a request comes down the stream.
   * @throws GantryError invalid_request before initialize, or for an id that is in use
   */
  async take(message: ClientMessage): Promise<void> {
    if (message.kind === 'request') return this.#request(message);
    await this.#sessions.take(this.#sender(), message, () => this.#gone.signal);
  }

  /** The stream is over, and with it the session and its replica. */
  end(): void {
    this.#gone.abort('the stream ended');
    this.stream.end();
    if (typeof this.#state !== 'object') return;
    try {
      this.#sessions.end(this.#sender());
    } catch (error) {
      // It had ended by itself, and that is why the stream did.
      if (!(error instanceof GantryError)) throw error;
    }
  }

  #request(message: Extract<ClientMessage, { kind: 'request' }>): void {
    const { id } = message;
    if (this.#open.has(id)) {
      const shown = JSON.stringify(id);
      throw new GantryError('invalid_request', `A call with id ${shown} is already open in this session.`);
    }
    const isInitialize = message.method === 'initialize';
    if (isInitialize && this.#state !== 'new') {
      throw new GantryError('invalid_request', 'This session was initialized already.');
    }
    const work = isInitialize ? this.#begin(id, message.params ?? {}) : this.#call(message, this.#sender());
    const done = work
      .catch((error) => this.#say(this.#encodeError(id, error)))
      .finally(() => this.#open.delete(id));
    this.#open.set(id, done);
  }

  async #begin(id: JsonRpcId, params: Record<string, unknown>): Promise<void> {
    this.#state = 'beginning';
    try {
      const sender = { ...this.owner, sessionId: null };
      const { outcome, sessionId } = await this.#sessions.begin(sender, params, this.#gone.signal, false);
      this.#say(encodeOutcome(id, outcome));
      this.#state = sessionId === null ? 'new' : { sessionId };
    } finally {
      if (this.#state === 'beginning') this.#state = 'new';
    }
    if (this.#gone.signal.aborted) return this.end();
    if (typeof this.#state === 'object') void this.#follow();
  }

  async #call(message: Extract<ClientMessage, { kind: 'request' }>, sender: Sender): Promise<void> {
    const reply = await this.#sessions.take(sender, message, () => this.#gone.signal);
    if (reply.kind === 'json') this.#say(encodeOutcome(message.id, reply.outcome));
    if (reply.kind === 'stream') await this.#pass(reply.stream);
  }

  /** What belongs to no call, until the session is over; then the last words of its calls, and the end. */
  async #follow(): Promise<void> {
    try {
      await this.#pass(this.#sessions.listen(this.#sender()));
    } catch (error) {
      // The process died right after the handshake: the session is over already.
      if (!(error instanceof GantryError)) throw error;
    }
    await Promise.all(this.#open.values());
    this.stream.end();
  }

  async #pass(events: AsyncIterable<OutEvent>): Promise<void> {
    // Events without data are for clients that come back; here nobody can.
    for await (const { data } of events) if (data !== '') this.#say(data);
  }

  #say(data: string): void {
    this.stream.push({ data });
  }

  #sender(): Sender {
    if (typeof this.#state === 'object') return { ...this.owner, sessionId: this.#state.sessionId };
    throw new GantryError('invalid_request', 'Send initialize first, and wait for its answer.');
  }
}
