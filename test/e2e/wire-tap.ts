import type { Json } from './harness.ts';

/** One HTTP request of a client. */
export type Sent = {
  /** The JSON-RPC method, or `answer` where the client answers the server; null for GET and DELETE. */
  readonly says: string | null;
  readonly params: Json;
  readonly headers: Headers;
  /** The session that its response opened. */
  opened: string | null;
};

/** Stands between a client and the network, changes nothing, and remembers what the client sent. */
export class WireTap {
  readonly all: Sent[] = [];

  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const message = typeof init.body === 'string' ? (JSON.parse(init.body) as Json) : null;
    const sent: Sent = {
      says: message === null ? null : String(message.method ?? 'answer'),
      params: (message?.params ?? {}) as Json,
      headers: new Headers(init.headers),
      opened: null,
    };
    // Before the response: what an answer brings about may be seen sooner than that it was received.
    this.all.push(sent);
    const response = await fetch(url, init);
    sent.opened = response.headers.get('mcp-session-id');
    return response;
  };

  sent(says: string): readonly Sent[] {
    return this.all.filter((one) => one.says === says);
  }
}
