import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Echo } from './calls.ts';

type Answer = { readonly id?: number; readonly result?: unknown; readonly error?: { message: string } };

/** MCP over the bare pipe of a child process: lines of JSON, no SDK, nothing in between. */
export class PipeClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
    const over = (why: string) => this.#failAll(new Error(why));
    child.once('error', (error) => over(error.message)).once('exit', (code) => over(`exit code ${code}`));
  }

  /** Starts the program and completes the handshake. @throws Error when it ends first */
  static async open(command: string, args: readonly string[]): Promise<PipeClient> {
    const client = new PipeClient(spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] }));
    await client.call('initialize', INITIALIZE);
    client.#write({ method: 'notifications/initialized' });
    return client;
  }

  /** @returns the line of the answer */
  call(method: string, params: object): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#write({ id, method, params });
    });
  }

  readonly echo: Echo = async (text) =>
    checkEcho(await this.call('tools/call', { name: 'echo', arguments: { message: text } }), text);

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.once('exit', () => resolve());
      this.#child.stdin.end();
      setTimeout(() => this.#child.kill('SIGKILL'), 2000).unref();
    });
  }

  #write(message: object): void {
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #take(line: string): void {
    const { id, error } = JSON.parse(line) as Answer;
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) return; // a notification of the server
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(line);
    else waiting.reject(new Error(error.message));
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'gantry-bench', version: '1.0.0' },
};

/** A fast wrong answer must not count as a fast answer. */
export function checkEcho(answer: string, text: string): void {
  if (!answer.includes(text)) throw new Error(`The answer is not the echo: ${answer.slice(0, 200)}`);
}
