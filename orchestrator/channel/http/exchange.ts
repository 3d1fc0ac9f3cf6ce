import type { HttpAnswer, HttpClient } from './http-client.ts';
import {
  type Heard,
  headersOf,
  hear,
  modernVersionOf,
  type OwnMessage,
  type OwnRequest,
  type RemoteSession,
  sessionHeaders,
} from './message.ts';
import { discard, eventsOf, textOf } from './read-answer.ts';
import { RemoteFailure } from './remote-failure.ts';

/** A stream that broke before the answer is come back to so often; each time the server may say how long to wait. */
const RESUMPTIONS = 5;
const RESUME_AFTER_MS = 1000;

export type ExchangeOptions = {
  readonly client: HttpClient;
  /** The URL as users may see it. */
  readonly where: string;
  readonly maxLineBytes: number;
  /** Settles after so many milliseconds; rejects when the signal aborts. */
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
};

/** Where to come back to in a stream. */
type Bookmark = { id: string | undefined; retryMs: number | undefined };

/** One message to a server elsewhere and what comes back for it. */
export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Rejects as undici does. */
  post(message: OwnMessage, line: string, session: RemoteSession | null, signal: AbortSignal) {
    const headers = headersOf(message, session);
    return this.#options.client.request({ method: 'POST', headers, body: line, signal });
  }

  /**
   * Hands out everything that comes for a request, its answer last.
   * @throws RemoteFailure where no answer comes, TooLong, whatever the connection throws
   */
  async read(
    request: OwnRequest,
    answer: HttpAnswer,
    session: () => RemoteSession | null,
    signal: AbortSignal,
    take: (heard: Heard) => void,
  ): Promise<void> {
    if (answer.status === 200 && answer.type === 'text/event-stream') {
      return await this.#readStream(request, answer, session, signal, take);
    }
    const heard = await this.#only(request, answer);
    if (heard === null) throw this.#refused(answer);
    take(heard);
  }

  /** A message that nothing answers. @throws RemoteFailure where it was not taken */
  async accepted(answer: HttpAnswer): Promise<void> {
    discard(answer);
    if (answer.status < 200 || answer.status > 299) throw this.#refused(answer);
  }

  async #only(request: OwnRequest, answer: HttpAnswer): Promise<Heard | null> {
    if (answer.type !== 'application/json') {
      discard(answer);
      return null;
    }
    const heard = hear(await textOf(answer, this.#options.maxLineBytes), request, true);
    return heard.isAnswer ? heard : null;
  }

  async #readStream(
    request: OwnRequest,
    first: HttpAnswer,
    session: () => RemoteSession | null,
    signal: AbortSignal,
    take: (heard: Heard) => void,
  ): Promise<void> {
    const bookmark: Bookmark = { id: undefined, retryMs: undefined };
    if (await this.#follow(request, first, bookmark, take)) return;
    // Only revisions with sessions let a client come back.
    for (let times = 0; times < RESUMPTIONS && bookmark.id && modernVersionOf(request) === null; times++) {
      await this.#options.wait(bookmark.retryMs ?? RESUME_AFTER_MS, signal);
      const again = await this.#options.client.request({
        method: 'GET',
        headers: { accept: 'text/event-stream', 'last-event-id': bookmark.id, ...sessionHeaders(session()) },
        signal,
      });
      if (again.status !== 200 || again.type !== 'text/event-stream') throw this.#refused(again);
      if (await this.#follow(request, again, bookmark, take)) return;
    }
    throw new RemoteFailure(
      `The server at ${this.#options.where} ended its stream without the answer.`,
      true,
    );
  }

  /** @returns whether the answer came. A stream that breaks in the middle is one that ended, where it can be come back to. */
  async #follow(
    request: OwnRequest,
    answer: HttpAnswer,
    bookmark: Bookmark,
    take: (heard: Heard) => void,
  ): Promise<boolean> {
    try {
      for await (const { data, id, retryMs } of eventsOf(answer, this.#options.maxLineBytes)) {
        bookmark.id = id ?? bookmark.id;
        bookmark.retryMs = retryMs ?? bookmark.retryMs;
        if (data === '') continue;
        const heard = hear(data, request, false);
        take(heard);
        if (heard.isAnswer) return true;
      }
      return false;
    } catch (error) {
      const isBroken = (error as { code?: unknown }).code === 'UND_ERR_SOCKET';
      if (isBroken && bookmark.id !== undefined) return false;
      throw error;
    }
  }

  /** For an answer that says nothing in terms of JSON-RPC. */
  #refused(answer: HttpAnswer): RemoteFailure {
    discard(answer);
    const { status, type } = answer;
    const { where } = this.#options;
    if (status >= 300 && status < 400) {
      return new RemoteFailure(
        `The server at ${where} redirects (HTTP ${status}), which is not followed.`,
        false,
      );
    }
    if (status === 401 || status === 403) {
      const message = `The server at ${where} refuses Gantry (HTTP ${status}): what it wants to know goes into headers of its entry.`;
      return new RemoteFailure(message, false);
    }
    const what = status >= 200 && status < 300 ? ` and ${type || 'nothing'}, which is no answer of MCP` : '';
    // 4xx refuses a request before it runs (RFC 9110, 15.5).
    return new RemoteFailure(
      `The server at ${where} answered with HTTP ${status}${what}.`,
      status < 400 || status > 499,
    );
  }
}
