import type { Exchange } from './exchange.ts';
import type { HttpClient } from './http-client.ts';
import {
  type Heard,
  type OwnMessage,
  type OwnRequest,
  type RemoteSession,
  sessionHeaders,
} from './message.ts';
import { RemoteFailure } from './remote-failure.ts';

/** A server that does not take our leave soon is left without. */
const GOODBYE_MS = 2000;
/** What a server speaks that does not say (MCP 2025-06-18, transports). */
const UNSAID_VERSION = '2025-03-26';

export type HeldSessionOptions = {
  readonly client: HttpClient;
  readonly exchange: Exchange;
  /** The URL as users may see it. */
  readonly where: string;
  /** Whether one that the server has forgotten may be begun anew: not where a client has state in it. */
  readonly renews: boolean;
  /** Aborts with the channel. */
  readonly signal: AbortSignal;
  readonly deliver: (message: OwnMessage, line: string) => Promise<void>;
};

/** The session at a server of the revisions with sessions: begun by our `initialize`, renewed, left. */
export class HeldSession {
  readonly #options: HeldSessionOptions;
  #current: RemoteSession | null = null;
  /** The `initialize` that it was begun with. */
  #hello: { readonly request: OwnRequest; readonly line: string } | null = null;
  #renewing: Promise<void> | null = null;

  constructor(options: HeldSessionOptions) {
    this.#options = options;
  }

  get current(): RemoteSession | null {
    return this.#current;
  }

  /** Settles with the renewal that is under way; null where none is. */
  get renewing(): Promise<void> | null {
    return this.#renewing;
  }

  asks(request: OwnRequest, line: string): void {
    this.#hello = { request, line };
  }

  /** @param id as the answer's header gives it */
  answered({ isAnswer, result }: Heard, id: string | null): void {
    if (!isAnswer || result === null) return;
    const { protocolVersion } = result;
    this.#current = {
      id,
      protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : UNSAID_VERSION,
    };
  }

  /** 404 says so (MCP, session management); many servers say 400 instead, which is worth one new session. */
  isForgotten(used: RemoteSession | null, status: number): used is RemoteSession {
    return used !== null && used.id !== null && (status === 404 || (status === 400 && this.#options.renews));
  }

  /**
   * The server knows the session no more, so nothing of what was asked in it ran. Callers at once share one renewal.
   * @throws RemoteFailure where there is no new one, whatever the connection throws
   */
  renew(lost: RemoteSession): Promise<void> {
    if (this.#renewing === null && this.#current !== lost) return Promise.resolve();
    this.#renewing ??= this.#beginAnew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** The server may forget it. Never rejects. */
  async leave(): Promise<void> {
    const session = this.#current;
    this.#current = null;
    if (session === null || session.id === null) return;
    const { client, exchange } = this.#options;
    try {
      const signal = AbortSignal.timeout(GOODBYE_MS);
      const headers = sessionHeaders(session);
      await exchange.accepted(await client.request({ method: 'DELETE', headers, signal }));
    } catch {
      // It may not allow that (405), or be gone: its session ends by itself then.
    }
  }

  async #beginAnew(): Promise<void> {
    const { exchange, where, renews, signal, deliver } = this.#options;
    if (!renews || this.#hello === null) {
      throw new RemoteFailure(`The server at ${where} has ended the session.`, false);
    }
    const { request, line } = this.#hello;
    this.#current = null;
    const answer = await exchange.post(request, line, null, signal);
    const take = (heard: Heard): void => this.answered(heard, answer.sessionId);
    await exchange.read(request, answer, () => null, signal, take);
    if (this.current === null)
      throw new RemoteFailure(`The server at ${where} refused a new session.`, false);
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
    await deliver(initialized, JSON.stringify(initialized));
  }
}
