import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { EngineError } from '../engine.ts';
import type { DockerConnection } from './connection.ts';
import { dockerMessage, engineUnavailable, statusOf } from './errors.ts';
import { followProgress, type Transcript } from './progress.ts';

export type Transfer = {
  readonly connection: DockerConnection;
  readonly transcript: Transcript;
  /** Ceiling for the whole of it. */
  readonly timeoutMs: number;
  /** Ends it when the daemon says nothing for so long. */
  readonly idleMs: number;
  /** What is sent, or null. */
  readonly source: NodeJS.ReadableStream | null;
  readonly run: (docker: Docker, abortSignal: AbortSignal) => Promise<NodeJS.ReadableStream>;
};

/** How a transfer ended: null is well, `timeout` is our deadline, else what the daemon reported or refused. */
export type TransferEnd = null | { readonly why: 'timeout' | 'reported'; readonly message: string };

/**
 * A long request whose answer is a stream of progress: build, import, pull. Giving up closes the request,
 * upon which the daemon gives up as well.
 * @throws EngineError bad_spec when the source breaks, GantryError engine_unavailable
 */
export async function transfer(options: Transfer): Promise<TransferEnd> {
  const control = new AbortController();
  const watch = new Deadline(options.timeoutMs, options.idleMs, () => control.abort());
  let broken: Error | null = null;
  options.source?.on('error', (error: Error) => {
    broken = error;
    control.abort();
  });
  try {
    const docker = await options.connection.streaming();
    const stream = await options.run(docker, control.signal);
    const message = await followProgress(stream as Readable, options.transcript, () => watch.touch());
    return message === null ? null : { why: 'reported', message };
  } catch (error) {
    if (broken !== null)
      throw new EngineError('bad_spec', 'What was to be sent could not be read.', { cause: broken });
    if (control.signal.aborted) return { why: 'timeout', message: watch.message };
    if (statusOf(error) !== null) return { why: 'reported', message: dockerMessage(error) };
    throw engineUnavailable(error);
  } finally {
    watch.cancel();
  }
}

class Deadline {
  message = '';
  readonly #idleMs: number;
  readonly #expire: (message: string) => void;
  readonly #total: NodeJS.Timeout;
  #idle: NodeJS.Timeout;

  constructor(timeoutMs: number, idleMs: number, abort: () => void) {
    this.#idleMs = idleMs;
    this.#expire = (message) => {
      this.message = message;
      abort();
    };
    this.#total = setTimeout(() => this.#expire(`not done within ${timeoutMs} ms`), timeoutMs);
    this.#idle = this.#arm();
  }

  touch(): void {
    clearTimeout(this.#idle);
    this.#idle = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#expire(`nothing happened for ${this.#idleMs} ms`), this.#idleMs);
  }
}
