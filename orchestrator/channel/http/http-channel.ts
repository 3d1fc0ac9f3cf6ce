import type { Clock, GantryError, JsonRpcId } from '../../kernel/index.ts';
import type { Channel, ChannelEnd } from '../channel.ts';
import { BoundedStderr } from '../stderr-ring.ts';
import { Exchange } from './exchange.ts';
import { HeldSession } from './held-session.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import { listen } from './listening.ts';
import {
  isRequest,
  modernVersionOf,
  type OwnMessage,
  type OwnRequest,
  type RemoteSession,
} from './message.ts';
import type { PinnedAddress } from './pinned-address.ts';
import { failureOf, lostCall, TooLong } from './remote-failure.ts';

export type HttpChannelOptions = {
  readonly url: URL;
  readonly pinned: PinnedAddress;
  /** Of every request, beside those of the protocol; names in lower case. Values may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** A longer message or event ends the channel with `line_too_long`. */
  readonly maxLineBytes: number;
  /** Whether a session that the server has forgotten may be begun anew: not where a client has state in it. */
  readonly renews: boolean;
};

type Pending = {
  readonly abort: AbortController;
  readonly isModern: boolean;
  /** In which it was asked last. */
  session: RemoteSession | null;
};

/**
 * A channel to a server elsewhere, over MCP's Streamable HTTP of both eras. Each message is a request of its own, so
 * one may fail alone (`onLost`); before the server was greeted any failure ends the channel. It carries nothing of
 * whoever calls: no header of theirs is known here.
 */
export class HttpChannel implements Channel {
  readonly kind = 'http';
  readonly stderr: BoundedStderr;
  readonly closed: Promise<ChannelEnd>;
  readonly #options: HttpChannelOptions;
  readonly #client: HttpClient;
  readonly #exchange: Exchange;
  readonly #session: HeldSession;
  readonly #where: string;
  readonly #pending = new Map<JsonRpcId, Pending>();
  readonly #over = new AbortController();
  readonly #resolve: (end: ChannelEnd) => void;
  #onLine: (line: Buffer) => void = () => {};
  #onLost: (id: JsonRpcId, error: GantryError) => void = () => {};
  #isGreeted = false;
  #listening = new AbortController();
  #isClosed = false;

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    const { url, pinned, headers, maxLineBytes } = options;
    this.#where = `${url.origin}${url.pathname}`;
    this.#client = new HttpClient(url, pinned, headers);
    this.stderr = new BoundedStderr(options.clock);
    const wait = (delayMs: number, signal: AbortSignal): Promise<void> => this.#wait(delayMs, signal);
    this.#exchange = new Exchange({ client: this.#client, where: this.#where, maxLineBytes, wait });
    this.#session = new HeldSession({
      client: this.#client,
      exchange: this.#exchange,
      where: this.#where,
      maxLineBytes,
      renews: options.renews,
      signal: this.#over.signal,
      deliver: (message, line) => this.#deliver(message, line),
    });
    const { promise, resolve } = Promise.withResolvers<ChannelEnd>();
    this.closed = promise;
    this.#resolve = resolve;
  }

  async send(line: string): Promise<void> {
    if (this.#isClosed) throw new Error('the channel is closed');
    const message = JSON.parse(line) as OwnMessage;
    if (isRequest(message)) void this.#request(message, line);
    else if (message.method === 'notifications/cancelled') await this.#cancel(message, line);
    else await this.#deliver(message, line);
  }

  onLine(listener: (line: Buffer) => void): void {
    this.#onLine = listener;
  }

  onLost(listener: (id: JsonRpcId, error: GantryError) => void): void {
    this.#onLost = listener;
  }

  end(): void {
    this.#listening.abort();
    void this.#session.leave().then(() => this.#finish({ why: 'ended' }));
  }

  destroy(message: string): void {
    if (this.#isClosed) return;
    this.#finish({ why: 'destroyed', message });
    void this.#session.leave().then(() => this.#client.close());
  }

  async #request(request: OwnRequest, line: string): Promise<void> {
    const abort = new AbortController();
    const pending: Pending = { abort, isModern: modernVersionOf(request) !== null, session: null };
    this.#pending.set(request.id, pending);
    if (request.method === 'initialize') this.#session.asks(request, line);
    try {
      const signal = AbortSignal.any([abort.signal, this.#over.signal]);
      await this.#ask(request, line, pending, signal);
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(error, request);
    } finally {
      this.#pending.delete(request.id);
      this.#session.leaveDoubtful((session) =>
        [...this.#pending.values()].some((other) => other.session === session),
      );
    }
  }

  async #ask(request: OwnRequest, line: string, pending: Pending, signal: AbortSignal): Promise<void> {
    const begins = request.method === 'initialize';
    if (!begins) await this.#session.renewing;
    const session = (): RemoteSession | null => (begins ? null : this.#session.current);
    const post = (): Promise<HttpAnswer> => {
      pending.session = session();
      return this.#exchange.post(request, line, pending.session, signal);
    };
    let answer = await post();
    const used = pending.session;
    if (used !== null && !pending.isModern) {
      const kept = await this.#session.unlessForgotten(used, answer);
      if (kept === null) await this.#renew(used);
      answer = kept ?? (await post());
    }
    await this.#exchange.read(request, answer, session, signal, (heard) => {
      if (begins) this.#session.answered(heard, answer.sessionId);
      if (request.method === 'server/discover' && heard.result !== null) this.#isGreeted = true;
      this.#onLine(heard.line);
    });
  }

  /** A notification, or the answer to a question of the server. Rejects where it was not taken. */
  async #deliver(message: OwnMessage, line: string): Promise<void> {
    try {
      const answer = await this.#exchange.post(message, line, this.#session.current, this.#over.signal);
      await this.#exchange.accepted(answer);
    } catch (error) {
      if (!this.#isGreeted) this.#failed(error, null);
      throw failureOf(error, this.#where);
    }
    if (message.method === 'notifications/initialized') this.#greeted();
  }

  /** Revisions without sessions say it by leaving the stream (MCP 2026-07-28, transports). */
  async #cancel(message: OwnMessage, line: string): Promise<void> {
    const pending = this.#pending.get(message.params?.requestId as JsonRpcId);
    try {
      if (pending?.isModern !== true) await this.#deliver(message, line);
    } finally {
      pending?.abort.abort();
    }
  }

  #greeted(): void {
    const session = this.#session.current;
    this.#isGreeted = true;
    if (session === null || this.#isClosed) return;
    this.#listening.abort();
    this.#listening = new AbortController();
    const signal = AbortSignal.any([this.#listening.signal, this.#over.signal]);
    void listen({
      client: this.#client,
      maxLineBytes: this.#options.maxLineBytes,
      session,
      signal,
      wait: (delayMs, until) => this.#wait(delayMs, until),
      onText: (text) => this.#onLine(Buffer.from(text.replace(/[\r\n]+/g, ' '))),
      onTooLong: () => this.#failed(new TooLong(), null),
      onGone: () =>
        void this.#renew(session).catch(() => {
          // The channel has ended with it.
        }),
    });
  }

  /** Calls that are under way may fail alone meanwhile. Without a new session nothing goes on: the channel ends. */
  async #renew(lost: RemoteSession): Promise<void> {
    try {
      await this.#session.renew(lost);
    } catch (error) {
      this.#failed(error, null);
      throw error;
    }
  }

  /** @param request whose exchange it was; null where it concerns no single one */
  #failed(error: unknown, request: OwnRequest | null): void {
    if (this.#isClosed) return;
    const { maxLineBytes } = this.#options;
    if (error instanceof TooLong) return this.#finish({ why: 'line_too_long', maxLineBytes });
    const failure = failureOf(error, this.#where);
    if (this.#isGreeted && request !== null) this.#onLost(request.id, lostCall(failure));
    else this.#finish({ why: 'remote', message: failure.message });
  }

  #finish(end: ChannelEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#over.abort();
    this.stderr.end();
    this.#resolve(end);
    if (end.why !== 'destroyed') void this.#client.close();
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(delayMs, () => {
      signal.removeEventListener('abort', aborted);
      resolve();
    });
    const aborted = (): void => {
      cancel();
      reject(new Error('the channel is closed'));
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
    return promise;
  }
}
