import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Message = {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown> & {
    readonly name?: string;
    readonly arguments?: Record<string, unknown>;
    readonly _meta?: Record<string, unknown>;
  };
};
type Heard = {
  readonly verb: string;
  readonly headers: IncomingMessage['headers'];
  readonly message: Message | null;
};

export type RemoteServerOptions = {
  readonly host?: string;
  readonly port?: number;
  /** What its tool `whoami` says. */
  readonly name?: string;
  /** Answers to calls are streams; else JSON. */
  readonly sse?: boolean;
  readonly eras?: 'legacy' | 'modern' | 'both';
  /** Who does not send this as `authorization` gets 401 for everything. */
  readonly wants?: string;
  /** How it says that it does not know a session; 404 where nothing is said. */
  readonly forgetsWith?: { readonly status: number; readonly message: string };
  /** Answers every request so, in place of MCP. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => void;
};

const TOOLS = ['echo', 'whoami', 'progress', 'hang', 'big', 'broken'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));
const MODERN = '2026-07-28';
const BIG = '[], "n": 9007199254740993';
const SAYS = { protocolVersion: '2025-06-18', capabilities: { tools: { listChanged: true } } };

/** A remote MCP server over Streamable HTTP, of either era, whose wire the test sees and cuts. */
export class RemoteServer {
  /** Everything that was asked, oldest first. */
  readonly heard: Heard[] = [];
  readonly #options: RemoteServerOptions;
  readonly #server: Server;
  readonly #sessions = new Set<string>();
  readonly #streams = new Set<ServerResponse>();
  readonly #hanging = new Set<ServerResponse>();
  #greet: () => Promise<void> = async () => {};
  #port = 0;

  private constructor(options: RemoteServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(options: RemoteServerOptions = {}): Promise<RemoteServer> {
    const remote = new RemoteServer(options);
    await remote.#listen(options.port ?? 0);
    return remote;
  }

  get port(): number {
    return this.#port;
  }

  url(host = '127.0.0.1'): string {
    return `http://${host}:${this.#port}/mcp`;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** As a restart of the server does. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  /** Whoever begins a session from now on waits for the answer. @returns when somebody does, and what lets them go on */
  holdGreetings(): { readonly asked: Promise<void>; readonly release: () => void } {
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#greet = () => {
      asked.resolve();
      return released.promise;
    };
    return { asked: asked.promise, release: released.resolve };
  }

  /** Breaks the streams of all calls that hang. */
  cutHanging(): void {
    for (const stream of this.#hanging) stream.socket?.destroy();
  }

  /** Says something that belongs to no call. */
  push(message: object): void {
    for (const stream of this.#streams) stream.write(event(message));
  }

  methods(): string[] {
    return this.heard.flatMap(({ message }) => message?.method ?? []);
  }

  /** Nobody answers any more; connections that are open break. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** The same port again, the sessions forgotten. */
  async reopen(): Promise<void> {
    this.forgetSessions();
    await this.#listen(this.#port);
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, this.#options.host ?? '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const message = text === '' ? null : (JSON.parse(text) as Message);
    this.heard.push({ verb: request.method ?? '', headers: request.headers, message });
    const { wants } = this.#options;
    if (wants !== undefined && request.headers.authorization !== wants)
      return answer(response, 401, { error: 'unauthorized' });
    if (this.#options.instead !== undefined) return this.#options.instead(request, response);
    if (message?.params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined)
      return this.#modern(message, response);
    await this.#legacy(request, message, response);
  }

  async #legacy(request: IncomingMessage, message: Message | null, response: ServerResponse): Promise<void> {
    const { eras = 'legacy', forgetsWith = { status: 404, message: 'unknown session' } } = this.#options;
    if (eras === 'modern') return answer(response, 400, error(null, -32000, 'no sessions here'));
    if (message?.method === 'initialize') {
      await this.#greet();
      const id = randomUUID();
      this.#sessions.add(id);
      response.setHeader('Mcp-Session-Id', id);
      const serverInfo = { name: this.#options.name ?? 'remote', version: '1.0.0' };
      return answer(response, 200, result(message.id, { ...SAYS, serverInfo }));
    }
    const session = request.headers['mcp-session-id'];
    if (typeof session !== 'string') return answer(response, 400, error(null, -32000, 'no session'));
    if (!this.#sessions.has(session))
      return answer(response, forgetsWith.status, error(null, -32001, forgetsWith.message));
    if (request.method === 'DELETE') {
      this.#sessions.delete(session);
      response.end();
    } else if (request.method === 'GET') this.#stream(response);
    else if (message?.id === undefined || message.method === undefined) response.writeHead(202).end();
    else this.#answer(message, response, (value) => result(message.id, value));
  }

  #modern(message: Message, response: ServerResponse): void {
    const { eras = 'legacy', name = 'remote' } = this.#options;
    if (eras === 'legacy') return answer(response, 400, error(null, -32000, 'no session'));
    const meta = { 'io.modelcontextprotocol/serverInfo': { name, version: '1.0.0' } };
    const complete = (value: object) =>
      result(message.id, { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...value });
    if (message.method === 'server/discover') {
      const said = { supportedVersions: [MODERN], capabilities: { tools: {} }, _meta: meta };
      return answer(response, 200, complete(said));
    }
    this.#answer(message, response, complete);
  }

  #answer(message: Message, response: ServerResponse, wrap: (value: object) => object): void {
    const { name: tool, arguments: args, _meta } = message.params ?? {};
    if (message.method === 'ping') return this.#say(response, [wrap({})]);
    if (message.method === 'tools/list') return this.#say(response, [wrap({ tools: TOOLS })]);
    if (message.method !== 'tools/call')
      return answer(response, 200, error(message.id, -32601, 'no such method'));
    const progressToken = _meta?.progressToken;
    const progress = { method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } };
    switch (tool) {
      case 'echo':
        return this.#say(response, [wrap(text(String(args?.text)))]);
      case 'whoami':
        return this.#say(response, [wrap(text(this.#options.name ?? 'remote'))]);
      case 'progress':
        return this.#say(response, [{ jsonrpc: '2.0', ...progress }, wrap(text('done'))]);
      case 'big':
        return answer(response, 200, JSON.stringify(wrap({ content: [] })).replace('[]', BIG));
      case 'hang':
        this.#hanging.add(response);
        response.on('close', () => this.#hanging.delete(response));
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waiting\n\n');
      case 'refused':
        return answer(response, 400, error(message.id, -32602, String(args?.text)));
      case 'broken':
        return void response.socket?.destroy();
      default:
        return answer(response, 200, wrap({ ...text('unknown tool'), isError: true }));
    }
  }

  #say(response: ServerResponse, messages: readonly object[]): void {
    const last = messages.at(-1) ?? {};
    if (this.#options.sse !== true && messages.length === 1) return answer(response, 200, last);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(messages.map((one) => event(one)).join(''));
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': open\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }
}

function text(said: string) {
  return { content: [{ type: 'text', text: said }] };
}

function event(message: object): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function result(id: Message['id'], value: object): object {
  return { jsonrpc: '2.0', id, result: value };
}

function error(id: Message['id'] | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

function answer(response: ServerResponse, status: number, body: object | string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
