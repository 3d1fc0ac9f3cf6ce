import type { FakeProcess, FakeProgram } from './fake-process.ts';
import { mcpTools } from './mcp-tools.ts';

export type McpProcessOptions = {
  /** Answered to every client, whatever it asked for. Default: what the client asked for. */
  readonly protocolVersion?: string;
  /** Written to stderr at the start. */
  readonly stderr?: readonly string[];
  /** How the program behaves before the handshake is done. Default: as it should. */
  readonly start?: 'normal' | 'never-ready' | 'exit' | 'refuse' | 'garbage-first';
  /** For `start: 'exit'`. */
  readonly exitCode?: number;
  /** False: it goes on after the end of input, and ignores TERM. */
  readonly polite?: boolean;
};

export type Json = Record<string, unknown>;

/** What a tool may do besides returning its result. */
export type McpPeer = {
  readonly io: FakeProcess;
  /** Told apart between replicas: the tool `whoami` answers with it. */
  readonly instance: string;
  notify(method: string, params: Json): void;
  /** Sends a request to the client and waits for its answer, a JSON-RPC response. */
  ask(method: string, params: Json): Promise<Json>;
  /** Settles when the client cancels this call. */
  readonly cancelled: Promise<void>;
};

type Message = { id?: string | number; method?: string; params?: Json; result?: unknown; error?: unknown };

let started = 0;

/** A small MCP server as a program of the fake engine: `initialize`, `ping`, `tools/list`, `tools/call`. */
export function mcpProgram(options: McpProcessOptions = {}): FakeProgram {
  return (io) => {
    for (const line of options.stderr ?? []) io.stderr(`${line}\n`);
    if (options.polite === false) io.onTerm(() => {});
    else io.onEnd(() => io.exit(0));
    switch (options.start ?? 'normal') {
      case 'exit':
        io.exit(options.exitCode ?? 1);
        return;
      case 'never-ready':
        return;
      case 'garbage-first':
        io.stdout('Server starting...\n{"half": \n');
    }
    const session = new McpSession(io, options);
    io.onLine((line) => session.take(line));
  };
}

class McpSession {
  readonly #io: FakeProcess;
  readonly #options: McpProcessOptions;
  readonly #instance: string;
  readonly #asked = new Map<string | number, (answer: Json) => void>();
  readonly #cancels = new Map<string | number, () => void>();
  #nextId = 0;

  constructor(io: FakeProcess, options: McpProcessOptions) {
    this.#io = io;
    this.#options = options;
    started += 1;
    this.#instance = `instance-${started}`;
  }

  take(line: string): void {
    const message = JSON.parse(line) as Message;
    const { id, method, params = {} } = message;
    if (method === undefined) {
      if (id !== undefined) this.#asked.get(id)?.(message as Json);
    } else if (id === undefined) {
      if (method === 'notifications/cancelled') this.#cancels.get(params.requestId as string | number)?.();
    } else {
      this.#answer(id, method, params);
    }
  }

  #answer(id: string | number, method: string, params: Json): void {
    switch (method) {
      case 'initialize':
        return this.#initialize(id, params);
      case 'ping':
        return this.#send({ id, result: {} });
      case 'tools/list':
        return this.#send({ id, result: { tools: Object.values(mcpTools).map(({ tool }) => tool) } });
      case 'tools/call':
        void this.#call(id, params);
        return;
      default:
        this.#send({ id, error: { code: -32601, message: `Method not found: ${method}` } });
    }
  }

  #initialize(id: string | number, params: Json): void {
    if (this.#options.start === 'refuse') {
      this.#send({ id, error: { code: -32603, message: 'not today' } });
      return;
    }
    const protocolVersion = this.#options.protocolVersion ?? params.protocolVersion;
    const serverInfo = { name: 'fake-mcp', version: '1.0.0' };
    this.#send({ id, result: { protocolVersion, capabilities: { tools: {}, logging: {} }, serverInfo } });
  }

  async #call(id: string | number, params: Json): Promise<void> {
    const found = mcpTools[String(params.name)];
    if (found === undefined) {
      this.#send({ id, error: { code: -32602, message: `Unknown tool: ${String(params.name)}` } });
      return;
    }
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    this.#cancels.set(id, resolve);
    const peer: McpPeer = {
      io: this.#io,
      instance: this.#instance,
      cancelled,
      notify: (method, about) => this.#send({ method, params: about }),
      ask: (method, about) => this.#ask(method, about),
    };
    const answer = await found.run((params.arguments ?? {}) as Json, peer, (params._meta ?? {}) as Json);
    this.#cancels.delete(id);
    // A tool without an answer was cancelled or has ended the process: then nothing may follow.
    if (answer !== null) this.#send({ id, ...answer });
  }

  #ask(method: string, params: Json): Promise<Json> {
    const { promise, resolve } = Promise.withResolvers<Json>();
    const id = `server-${this.#nextId++}`;
    this.#asked.set(id, resolve);
    this.#send({ id, method, params });
    return promise;
  }

  #send(message: Json): void {
    this.#io.stdout(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }
}
