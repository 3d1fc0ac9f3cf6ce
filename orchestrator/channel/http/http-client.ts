import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { PinnedAddress } from './pinned-address.ts';

/** Where nobody answers at all, other instances should be tried soon. */
const CONNECT_TIMEOUT_MS = 5000;

export type HttpRequest = {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
};

export type HttpAnswer = {
  readonly status: number;
  /** Lower case, without parameters; empty where none was given. */
  readonly type: string;
  readonly sessionId: string | null;
  readonly body: Readable;
};

/**
 * Requests to one URL, over connections to one address that was checked before. Redirects are not followed: they are
 * answers like any other. Time limits are the callers'.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param headers of every request; those of a request go before them */
  constructor(url: URL, { address, family }: PinnedAddress, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
    this.#agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        lookup: (_host, options, done) =>
          options.all === true ? done(null, [{ address, family }]) : done(null, address, family),
      },
    });
  }

  /** Rejects as undici does. Whoever gets an answer reads its body to the end, or destroys it. */
  async request({ method, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#agent.request({
      origin: this.#url.origin,
      path: `${this.#url.pathname}${this.#url.search}`,
      method,
      headers: { ...this.#headers, ...headers },
      signal,
      ...(body === undefined ? {} : { body }),
    });
    return {
      status: answer.statusCode,
      type: one(answer.headers['content-type']).split(';', 1)[0]?.trim().toLowerCase() ?? '',
      sessionId: one(answer.headers['mcp-session-id']) || null,
      body: answer.body,
    };
  }

  /** Connections that are in use are cut. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
