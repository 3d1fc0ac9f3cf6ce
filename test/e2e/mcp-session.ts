import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { baseUrl, type Json } from './harness.ts';
import { type RawAnswer, rawRequest } from './raw-http.ts';
import { eventsOf } from './sse-events.ts';

export const NEWEST_LEGACY_VERSION = '2025-11-25';
export const BOTH_KINDS = 'application/json, text/event-stream';

export type RpcMessage = {
  readonly jsonrpc: '2.0';
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Json };
};

type Opening = {
  readonly version?: string;
  readonly capabilities?: Json;
  readonly url?: string;
};

/** Where a server, a set of them (`@name`), or all of them (`''`) are served. */
export function mcpPath(server: string): string {
  return server === '' ? '/mcp' : `/mcp/${server}`;
}

/** POSTs a body to `/mcp/{server}` with exactly these headers on top of what the protocol asks for. */
export function postMcp(
  server: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return rawRequest(new URL(mcpPath(server), baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: BOTH_KINDS, ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
}

export function initializeRequest({
  version = NEWEST_LEGACY_VERSION,
  capabilities = {},
}: Opening = {}): Json {
  return {
    jsonrpc: '2.0',
    id: 'init',
    method: 'initialize',
    params: {
      protocolVersion: version,
      capabilities,
      clientInfo: { name: 'gantry-tests', version: '1.0.0' },
    },
  };
}

export function toolCall(id: string | number, name: string, args: Json = {}, meta?: Json): Json {
  const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return { jsonrpc: '2.0', id, method: 'tools/call', params };
}

/** The single message of a JSON answer, or the last one of a stream that has ended. */
export function lastMessage(answer: RawAnswer): RpcMessage {
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  const text = isStream ? (dataLines(answer.text).at(-1) ?? '') : answer.text;
  return JSON.parse(text) as RpcMessage;
}

function dataLines(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') && line.length > 6 ? [line.slice(6)] : []));
}

/** A session on the wire: every header and every answer as it came, nothing tidied up. */
export class McpSession {
  readonly server: string;
  readonly id: string;
  readonly version: string;
  readonly initialized: RpcMessage;

  constructor(server: string, id: string, version: string, initialized: RpcMessage) {
    this.server = server;
    this.id = id;
    this.version = version;
    this.initialized = initialized;
  }

  get headers(): Record<string, string> {
    return { 'mcp-session-id': this.id, 'mcp-protocol-version': this.version };
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return postMcp(this.server, body, { ...this.headers, ...headers });
  }

  /** A call whose answer is awaited whole. */
  async call(id: string | number, name: string, args: Json = {}): Promise<RpcMessage> {
    return lastMessage(await this.post(toolCall(id, name, args)));
  }

  end(): Promise<RawAnswer> {
    return rawRequest(new URL(`/mcp/${this.server}`, baseUrl), { method: 'DELETE', headers: this.headers });
  }

  /** The GET stream, or the refusal. */
  openStream(): Promise<IncomingMessage> {
    return openResponse(this.server, 'GET', { ...this.headers, accept: 'text/event-stream' });
  }

  /** A POST whose messages are read one by one, as they arrive. */
  async *stream(body: unknown): AsyncGenerator<RpcMessage> {
    const response = await openResponse(
      this.server,
      'POST',
      { ...this.headers, 'content-type': 'application/json', accept: BOTH_KINDS },
      JSON.stringify(body),
    );
    if (response.statusCode !== 200) throw new Error(`the call was answered with ${response.statusCode}`);
    for await (const event of eventsOf(response)) yield JSON.parse(event.data) as RpcMessage;
  }
}

function openResponse(
  server: string,
  method: string,
  headers: Record<string, string>,
  body?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(mcpPath(server), baseUrl), { method, headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Opens a session and says that it is initialized. The test ends it, if it has not yet. */
export async function openSession(
  t: ExecutionContext,
  server: string,
  opening: Opening = {},
): Promise<McpSession> {
  const answer = await postMcp(server, initializeRequest(opening));
  const id = answer.headers['mcp-session-id'];
  if (answer.status !== 200 || typeof id !== 'string') {
    throw new Error(
      `initialize of ${server} was answered with ${answer.status}: ${answer.text.slice(0, 500)}`,
    );
  }
  const initialized = lastMessage(answer);
  const version = String(initialized.result?.protocolVersion);
  const session = new McpSession(server, id, version, initialized);
  t.teardown(async () => {
    await session.end();
  });
  const said = await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  if (said.status !== 202) throw new Error(`notifications/initialized was answered with ${said.status}`);
  return session;
}
