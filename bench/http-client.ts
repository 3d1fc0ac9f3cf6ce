import { Pool } from 'undici';
import type { Echo } from './calls.ts';
import { checkEcho, INITIALIZE } from './pipe-client.ts';

/** MCP over Streamable HTTP, raw: kept-alive connections, no SDK. */
export class HttpClient {
  readonly #pool: Pool;
  readonly #path: string;
  #headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  #nextId = 1;

  private constructor(pool: Pool, path: string, token: string | null) {
    this.#pool = pool;
    this.#path = path;
    if (token !== null) this.#headers.authorization = `Bearer ${token}`;
  }

  /** Opens a session. `connections` bounds what can be in flight. @throws Error with the refusal */
  static async open(options: {
    readonly url: string;
    readonly server: string;
    readonly connections: number;
    readonly token: string | null;
  }): Promise<HttpClient> {
    const pool = new Pool(options.url, { connections: options.connections, pipelining: 1 });
    const client = new HttpClient(pool, `/mcp/${options.server}`, options.token);
    const { headers } = await client.#post({ id: 0, method: 'initialize', params: INITIALIZE });
    const sessionId = headers['mcp-session-id'];
    if (typeof sessionId !== 'string') throw new Error(`${options.server} gave no session id`);
    client.#headers = {
      ...client.#headers,
      'mcp-session-id': sessionId,
      'mcp-protocol-version': INITIALIZE.protocolVersion,
    };
    await client.#post({ method: 'notifications/initialized' });
    return client;
  }

  readonly echo: Echo = async (text) => {
    const params = { name: 'echo', arguments: { message: text } };
    const { text: answer } = await this.#post({ id: this.#nextId++, method: 'tools/call', params });
    JSON.parse(answer.startsWith('{') ? answer : lastData(answer)); // a client would, and so does the pipe's
    checkEcho(answer, text);
  };

  async close(): Promise<void> {
    await this.#pool.request({ method: 'DELETE', path: this.#path, headers: this.#headers });
    await this.#pool.close();
  }

  async #post(
    message: object,
  ): Promise<{ text: string; headers: Record<string, string | string[] | undefined> }> {
    const { statusCode, headers, body } = await this.#pool.request({
      method: 'POST',
      path: this.#path,
      headers: this.#headers,
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${this.#path} answered ${statusCode}: ${text.slice(0, 300)}`);
    return { text, headers };
  }
}

/** The last message of an event stream is the answer. */
function lastData(events: string): string {
  return events.slice(events.lastIndexOf('\ndata: ') + 7).trim();
}
