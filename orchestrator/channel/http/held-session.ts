import { Readable } from 'node:stream';
import type { Exchange } from './exchange.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';
import {
  type Heard,
  type OwnMessage,
  type OwnRequest,
  type RemoteSession,
  sessionHeaders,
} from './message.ts';
import { bytesOf, discard } from './read-answer.ts';
import { RemoteFailure } from './remote-failure.ts';

/** A server that does not take our leave soon is left without. */
const GOODBYE_MS = 2000;
/** What a server speaks that does not say (MCP 2025-06-18, transports). */
const UNSAID_VERSION = '2025-03-26';
/** How servers say with 400 that they do not know a session; the last is what the official kit for Node says after a restart. */
const NO_SUCH_SESSION = [
  /\b(?:no|unknown|invalid|expired|missing)\b.{0,40}\bsession/i,
  /\bsession.{0,40}\b(?:not|unknown|invalid|expired|missing|required|closed|terminated)\b/i,
  /\bserver not initialized\b/i,
];

export type HeldSessionOptions = {
  readonly client: HttpClient;
  readonly exchange: Exchange;
  /** The URL as users may see it. */
  readonly where: string;
  readonly maxLineBytes: number;
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
  /** Given up for the words of a 400, which may have meant something else: then the server holds them still. */
  readonly #doubtful = new Set<RemoteSession>();

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

  /**
   * 404 says that the server knows the session no more (MCP, session management). Many servers say 400 instead, and
   * say it for much else too, so there the words decide.
   * @returns the answer, still to be read; null where the session is forgotten
   * @throws TooLong, whatever the connection throws
   */
  async unlessForgotten(used: RemoteSession, answer: HttpAnswer): Promise<HttpAnswer | null> {
    if (used.id === null) return answer;
    if (answer.status === 404) {
      discard(answer);
      return null;
    }
    if (answer.status !== 400 || !this.#options.renews) return answer;
    const bytes = await bytesOf(answer, this.#options.maxLineBytes);
    const said = bytes.toString();
    if (!NO_SUCH_SESSION.some((words) => words.test(said)))
      return { ...answer, body: Readable.from([bytes]) };
    if (used === this.#current) this.#doubtful.add(used);
    return null;
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
    if (session !== null) await this.#goodbye(session);
  }

  /** Leaves what was given up in doubt, once nothing that was asked in it goes on: to leave it would end that. */
  leaveDoubtful(isAskedIn: (session: RemoteSession) => boolean): void {
    for (const session of this.#doubtful) {
      if (session === this.#current || isAskedIn(session)) continue;
      this.#doubtful.delete(session);
      void this.#goodbye(session);
    }
  }

  async #goodbye(session: RemoteSession): Promise<void> {
    if (session.id === null) return;
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
