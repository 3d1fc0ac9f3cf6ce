import type { Clock, GantryError, JsonRpcId } from '../../kernel/index.ts';
import type { Channel, ChannelEnd } from '../channel.ts';
import { BoundedStderr } from '../stderr-ring.ts';
import { Exchange } from './exchange.ts';
import { HttpClient } from './http-client.ts';
import { listen } from './listening.ts';
import {
  type Heard,
  isRequest,
  modernVersionOf,
  type OwnMessage,
  type OwnRequest,
  type RemoteSession,
  sessionHeaders,
} from './message.ts';
import type { PinnedAddress } from './pinned-address.ts';
import { discard } from './read-answer.ts';
import { failureOf, lostCall, RemoteFailure, TooLong } from './remote-failure.ts';

/** A server that does not take our leave soon is left without. */
const GOODBYE_MS = 2000;

export type HttpChannelOptions = {
  readonly url: URL;
  readonly pinned: PinnedAddress;
  readonly clock: Clock;
  /** A longer message or event ends the channel with `line_too_long`. */
  readonly maxLineBytes: number;
  /** Whether a session that the server has forgotten may be begun anew: not where a client has state in it. */
  readonly renews: boolean;
};

type Pending = { readonly abort: AbortController; readonly isModern: boolean };

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
  readonly #where: string;
  readonly #pending = new Map<JsonRpcId, Pending>();
  readonly #over = new AbortController();
  readonly #resolve: (end: ChannelEnd) => void;
  #onLine: (line: Buffer) => void = () => {};
  #onLost: (id: JsonRpcId, error: GantryError) => void = () => {};
  #session: RemoteSession | null = null;
  /** The `initialize` that the session was begun with. */
  #hello: { readonly request: OwnRequest; readonly line: string } | null = null;
  #isGreeted = false;
  #renewing: Promise<void> | null = null;
  #listening = new AbortController();
  #isClosed = false;

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    const { url, pinned, maxLineBytes } = options;
    this.#where = `${url.origin}${url.pathname}`;
    this.#client = new HttpClient(url, pinned);
    this.stderr = new BoundedStderr(options.clock);
    const wait = (delayMs: number, signal: AbortSignal): Promise<void> => this.#wait(delayMs, signal);
    this.#exchange = new Exchange({ client: this.#client, where: this.#where, maxLineBytes, wait });
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
    void this.#leave().then(() => this.#finish({ why: 'ended' }));
  }

  destroy(message: string): void {
    if (this.#isClosed) return;
    this.#finish({ why: 'destroyed', message });
    void this.#leave();
  }

  async #request(request: OwnRequest, line: string): Promise<void> {
    const abort = new AbortController();
    this.#pending.set(request.id, { abort, isModern: modernVersionOf(request) !== null });
    if (request.method === 'initialize') this.#hello = { request, line };
    try {
      const signal = AbortSignal.any([abort.signal, this.#over.signal]);
      await this.#ask(request, line, signal);
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(error, request);
    } finally {
      this.#pending.delete(request.id);
    }
  }

  async #ask(request: OwnRequest, line: string, signal: AbortSignal): Promise<void> {
    const begins = request.method === 'initialize';
    if (this.#renewing !== null && !begins) await this.#renewing;
    const session = (): RemoteSession | null => (begins ? null : this.#session);
    const used = session();
    let answer = await this.#exchange.post(request, line, used, signal);
    if (used !== null && modernVersionOf(request) === null && this.#isForgotten(used, answer.status)) {
      discard(answer);
      await this.#renew(used);
      answer = await this.#exchange.post(request, line, session(), signal);
    }
    await this.#exchange.read(request, answer, session, signal, (heard) => {
      if (begins) this.#begun(heard, answer.sessionId);
      if (request.method === 'server/discover' && heard.result !== null) this.#isGreeted = true;
      this.#onLine(heard.line);
    });
  }

  /** A notification, or the answer to a question of the server. Rejects where it was not taken. */
  async #deliver(message: OwnMessage, line: string): Promise<void> {
    try {
      const answer = await this.#exchange.post(message, line, this.#session, this.#over.signal);
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

  /** 404 says so (MCP, session management); many servers say 400 instead, which is worth one new session. */
  #isForgotten({ id }: RemoteSession, status: number): boolean {
    return id !== null && (status === 404 || (status === 400 && this.#options.renews));
  }

  #begun({ isAnswer, result }: Heard, id: string | null): void {
    if (!isAnswer || result === null) return;
    const { protocolVersion } = result;
    this.#session = {
      id,
      protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : '2025-03-26',
    };
  }

  #greeted(): void {
    const session = this.#session;
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
      onGone: () => void this.#renew(session).catch((error: unknown) => this.#failed(error, null)),
    });
  }

  /** The server knows the session no more, so nothing of what was asked in it ran. Callers at once share one renewal. */
  #renew(lost: RemoteSession): Promise<void> {
    if (this.#session !== lost && this.#renewing === null) return Promise.resolve();
    this.#renewing ??= this.#beginAnew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #beginAnew(): Promise<void> {
    this.#isGreeted = false; // a failure from here on ends the channel
    if (!this.#options.renews || this.#hello === null) {
      throw new RemoteFailure(`The server at ${this.#where} has ended the session.`, false);
    }
    const { request, line } = this.#hello;
    const { signal } = this.#over;
    const answer = await this.#exchange.post(request, line, null, signal);
    this.#session = null;
    await this.#exchange.read(
      request,
      answer,
      () => null,
      signal,
      (heard) => this.#begun(heard, answer.sessionId),
    );
    if (this.#session === null)
      throw new RemoteFailure(`The server at ${this.#where} refused a new session.`, false);
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
    await this.#deliver(initialized, JSON.stringify(initialized));
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

  /** The server may forget the session. Never rejects. */
  async #leave(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#listening.abort();
    try {
      if (session?.id == null) return;
      const signal = AbortSignal.timeout(GOODBYE_MS);
      const answer = await this.#client.request({
        method: 'DELETE',
        headers: sessionHeaders(session),
        signal,
      });
      await this.#exchange.accepted(answer);
    } catch {
      // It may not allow that (405), or be gone: its session ends by itself then.
    } finally {
      if (this.#isClosed) void this.#client.close();
    }
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
