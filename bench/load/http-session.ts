import type { Work } from '../work.ts';
import type { Call } from './closed-loop.ts';
import { Connection } from './connection.ts';

/** Where an MCP endpoint is reached. */
export type Endpoint = {
  /** Scheme, host and port. */
  readonly url: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly era?: 'legacy' | 'modern';
};

const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';
const PREFIX = 'io.modelcontextprotocol/';
const CLIENT = { name: 'gantry-bench', version: '1.0.0' };

/** A client of one session with as many connections as it shall have calls in flight; a modern one has no session. */
export class HttpSession {
  readonly #connections: readonly Connection[];
  readonly #endpoint: Endpoint;
  #headers: Record<string, string>;
  #lastId = 0;

  private constructor(endpoint: Endpoint, connections: readonly Connection[]) {
    this.#endpoint = endpoint;
    this.#connections = connections;
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...endpoint.headers,
    };
  }

  /**
   * @param shared connections that other sessions use too: an idle session holds none
   * @throws Error with the refusal
   */
  static async open(endpoint: Endpoint, size: number | readonly Connection[]): Promise<HttpSession> {
    const connections =
      typeof size === 'number' ? Array.from({ length: size }, () => new Connection(endpoint.url)) : size;
    const session = new HttpSession(endpoint, connections);
    if (endpoint.era === 'modern') session.#headers = { ...session.#headers, 'mcp-protocol-version': MODERN };
    else await session.#initialize();
    return session;
  }

  /** One caller for each connection. */
  callers(work: Work): Call[] {
    return this.#connections.map((connection) => () => this.call(connection, work));
  }

  /** Ends the session where there is one; its connections stay. */
  async end(): Promise<void> {
    const { path, era } = this.#endpoint;
    if (era !== 'modern') await this.#first.exchange(path, this.#headers, null, 'DELETE');
  }

  /** Ends the session, and all connections. */
  async close(): Promise<void> {
    await this.end();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  async #initialize(): Promise<void> {
    const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT };
    const first = await this.#send(this.#first, { id: this.#lastId, method: 'initialize', params });
    const sessionId = first.headers['mcp-session-id'];
    this.#headers = { ...this.#headers, 'mcp-protocol-version': LEGACY };
    // The bare baseline has none.
    if (typeof sessionId === 'string') this.#headers['mcp-session-id'] = sessionId;
    await this.#send(this.#first, { method: 'notifications/initialized' });
  }

  /** On a connection of somebody else. */
  async call(connection: Connection, work: Work): Promise<void> {
    const n = ++this.#lastId;
    const params = work.params(n);
    const { body } = await this.#send(connection, { id: n, method: 'tools/call', params });
    if (!work.isAnswered(body, n)) throw new Error(`wrong answer: ${body.toString().slice(0, 300)}`);
  }

  async #send(
    connection: Connection,
    message: { method: string; params?: Record<string, unknown>; id?: number },
  ) {
    const isModern = this.#endpoint.era === 'modern';
    const { path } = this.#endpoint;
    const text = JSON.stringify({
      jsonrpc: '2.0',
      ...message,
      ...(isModern ? { params: described(message) } : {}),
    });
    const headers = isModern ? { ...this.#headers, ...namesOf(message) } : this.#headers;
    const answer = await connection.exchange(path, headers, text);
    if (answer.status < 300) return answer;
    throw new Error(`${path} answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`);
  }

  get #first(): Connection {
    const [first] = this.#connections;
    if (first === undefined) throw new Error('A session needs a connection.');
    return first;
  }
}

/** In the revision without sessions each request says who asks. */
function described({ params }: { params?: Record<string, unknown> }): Record<string, unknown> {
  const meta = {
    [`${PREFIX}protocolVersion`]: MODERN,
    [`${PREFIX}clientCapabilities`]: {},
    [`${PREFIX}clientInfo`]: CLIENT,
  };
  return { ...params, _meta: { ...(params?._meta as object | undefined), ...meta } };
}

function namesOf({ method, params }: { method: string; params?: Record<string, unknown> }) {
  const name = params?.name;
  return { 'mcp-method': method, ...(typeof name === 'string' ? { 'mcp-name': name } : {}) };
}
