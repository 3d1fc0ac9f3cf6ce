import type { Json } from './harness.ts';

/** One HTTP exchange of a client: what it sent, and how that was answered. */
export type Exchange = {
  readonly httpMethod: string;
  /** The JSON-RPC method, or `answer` where the client answers the server; null for GET and DELETE. */
  readonly says: string | null;
  readonly params: Json;
  readonly headers: Headers;
  readonly status: number;
  readonly sessionId: string | null;
};

/** Stands between a client and the network, changes nothing, and remembers what the client sent. */
export class WireTap {
  readonly exchanges: Exchange[] = [];

  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(url, init);
    const message = typeof init.body === 'string' ? (JSON.parse(init.body) as Json) : null;
    this.exchanges.push({
      httpMethod: init.method ?? 'GET',
      says: message === null ? null : String(message.method ?? 'answer'),
      params: (message?.params ?? {}) as Json,
      headers: new Headers(init.headers),
      status: response.status,
      sessionId: response.headers.get('mcp-session-id'),
    });
    return response;
  };

  sent(says: string): readonly Exchange[] {
    return this.exchanges.filter((exchange) => exchange.says === says);
  }
}
