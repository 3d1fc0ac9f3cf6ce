import { Agent, type IncomingMessage, request } from 'node:http';
import { type Call, type History, markerOf, type Place, readMarker } from '../history/history.ts';
import { messagesOf, wholeText } from './answer-messages.ts';
import { type Json, textOf } from './harness.ts';
import {
  BOTH_KINDS,
  initializeRequest,
  NEWEST_LEGACY_VERSION,
  type RpcMessage,
  toolCall,
} from './mcp-session.ts';

const MODERN_VERSION = '2026-07-28';
const META = 'io.modelcontextprotocol/';

/**
 * Kept connections for all clients together, as a proxy in front of Gantry has them: what belongs to a client must not
 * depend on the connection it came by. Idle ones are dropped long before the server does it, also by a process that
 * gets little time on a busy machine.
 */
const connections = new Agent({ keepAlive: true, timeout: 10_000 });

export type CrowdClientOptions = {
  /** Where Gantry is, and the server there. */
  readonly url: string;
  readonly server: string;
  readonly token?: string;
  /** Unique in the history. */
  readonly name: string;
  readonly era: 'legacy' | 'modern';
  readonly history: History;
};

/** What a call of `tell` (test/fixtures/servers/crowd.py) is to say. */
export type Telling = {
  readonly steps: number;
  /** Between two steps, in milliseconds. */
  readonly ms: number;
  readonly logs: number;
  /** How many of the log messages can reach the client: none where a process serves several. */
  readonly logsToGet: number;
};

type Ending = { readonly result: Json } | { readonly why: string };

/**
 * One of a crowd of clients, of either era. All of them use the same request ids and progress tokens; only the marker in
 * a call's arguments is unique. Whatever arrives goes into the history, with the place where it did.
 */
export class CrowdClient {
  readonly name: string;
  readonly era: 'legacy' | 'modern';
  readonly #options: CrowdClientOptions;
  #session: string | null = null;

  constructor(options: CrowdClientOptions) {
    this.#options = options;
    this.name = options.name;
    this.era = options.era;
  }

  /** Opens a session and the stream that belongs to no call, where the era has them. @throws Error when refused */
  async open(): Promise<void> {
    if (this.era === 'modern') return;
    const answer = await this.#send('POST', initializeRequest());
    const text = await wholeText(answer);
    const id = answer.headers['mcp-session-id'];
    if (answer.statusCode !== 200 || typeof id !== 'string') {
      throw new Error(`initialize of ${this.name} was answered with ${answer.statusCode}: ${text}`);
    }
    this.#session = id;
    await wholeText(await this.#send('POST', { jsonrpc: '2.0', method: 'notifications/initialized' }));
    const stream = await this.#send('GET', undefined);
    if (stream.statusCode !== 200) throw new Error(`the stream of ${this.name} is ${stream.statusCode}`);
    this.#readAll(stream, { client: this.name, call: null }, null).catch(() => {
      // It breaks off where the session does not end politely; what it should have brought is then missing.
    });
  }

  /**
   * Calls `tell` under the request id and the progress token `number`.
   * @returns the host that answered; null where the call failed, which stands in the history
   */
  async tell(number: number, { steps, ms, logs, logsToGet }: Telling): Promise<string | null> {
    const { history } = this.#options;
    const call: Call = { client: this.name, call: String(number) };
    history.sent(call, { progress: steps, log: logsToGet });
    const args = { marker: markerOf(call), steps, logs, ms };
    try {
      const ending = await this.#readAll(await this.#call(number, 'tell', args), call, number);
      if ('result' in ending) return String(ending.result.host);
      history.failed(call, ending.why);
    } catch (error) {
      history.failed(call, String(error));
    }
    return null;
  }

  /** Every marker that the process behind this client was told. No part of the history. @throws Error when it fails */
  async recall(): Promise<readonly string[]> {
    for await (const message of messagesOf(await this.#call(1, 'recall', {}))) {
      if (message.result === undefined) throw new Error(`${this.name}: ${JSON.stringify(message)}`);
      return JSON.parse(textOf(message.result)) as string[];
    }
    throw new Error(`recall of ${this.name} was not answered`);
  }

  /** Ends the session, where there is one; its stream ends with it. @throws Error when refused */
  async end(): Promise<void> {
    if (this.#session === null) return;
    const answer = await this.#send('DELETE', undefined);
    const text = await wholeText(answer);
    if (answer.statusCode !== 204) throw new Error(`DELETE of ${this.name} is ${answer.statusCode}: ${text}`);
    this.#session = null;
  }

  /** Reads to the end, which is that of the call too. @param id of the request; null for a stream without one */
  async #readAll(response: IncomingMessage, at: Place, id: number | null): Promise<Ending> {
    let ending: Ending = { why: `status ${response.statusCode} and no answer` };
    for await (const message of messagesOf(response)) {
      if (message.method !== undefined) this.#heard(message, at, id);
      else if (id !== null && message.error !== undefined && (message.id ?? id) === id) {
        ending = { why: JSON.stringify(message.error) };
      } else if (id === null || message.id !== id) this.#odd(message, at);
      else ending = this.#answered(message, at);
    }
    return ending;
  }

  #answered(message: RpcMessage, at: Place): Ending {
    if (message.result?.isError === true) return { why: textOf(message.result) };
    const result = JSON.parse(textOf(message.result)) as Json;
    const call = readMarker(result.marker);
    if (call === null) this.#odd(message, at);
    else this.#options.history.got(at, { ...call, kind: 'answer', number: 1 });
    return { result };
  }

  #heard(message: RpcMessage, at: Place, id: number | null): void {
    const { method, params = {} } = message;
    const isProgress = method === 'notifications/progress';
    const data = isProgress ? { marker: params.message, number: params.progress } : (params.data as Json);
    const call = readMarker(data?.marker);
    const isOurs = isProgress ? params.progressToken === id : method === 'notifications/message';
    if (call === null || !isOurs) return this.#odd(message, at);
    const kind = isProgress ? 'progress' : 'log';
    this.#options.history.got(at, { ...call, kind, number: Number(data.number) });
  }

  #odd(message: RpcMessage, at: Place): void {
    this.#options.history.gotUnknown(at, JSON.stringify(message));
  }

  #call(id: number, tool: string, args: Json): Promise<IncomingMessage> {
    if (this.era === 'legacy') return this.#send('POST', toolCall(id, tool, args, { progressToken: id }));
    const meta = {
      progressToken: id,
      [`${META}protocolVersion`]: MODERN_VERSION,
      [`${META}clientCapabilities`]: {},
    };
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': tool };
    return this.#send('POST', toolCall(id, tool, args, meta), headers);
  }

  #send(method: string, body: Json | undefined, more: Record<string, string> = {}): Promise<IncomingMessage> {
    const { url, server, token } = this.#options;
    const headers = {
      accept: method === 'GET' ? 'text/event-stream' : BOTH_KINDS,
      'mcp-protocol-version': this.era === 'modern' ? MODERN_VERSION : NEWEST_LEGACY_VERSION,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(this.#session === null ? {} : { 'mcp-session-id': this.#session }),
      ...more,
    };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(`/mcp/${server}`, url), { method, headers, agent: connections }, resolve);
      sent.on('error', (error) => {
        const connection = sent.reusedSocket ? 'a kept connection' : 'a new connection';
        reject(new Error(`${method} of ${this.name} on ${connection}: ${error.message}`, { cause: error }));
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
