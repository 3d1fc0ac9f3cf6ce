import Docker from 'dockerode';
import { engineFailure, statusOf } from './errors.ts';

/** Where the daemon listens: mutual TLS, or a unix socket. */
export type DockerAddress =
  | { readonly socketPath: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly ca: Buffer;
      readonly cert: Buffer;
      readonly key: Buffer;
    };

/** The API this adapter is written against; older daemons are spoken to in their newest version. */
const PINNED_API = '1.44';

/** For requests that only read. */
export const QUICK_MS = 15_000;
/** For requests that start or end processes: a loaded engine takes seconds for each. */
export const SLOW_MS = 60_000;

/**
 * One daemon: knows its address and API version, runs every dockerode request under a deadline, and
 * translates failures. No agent is ever given to dockerode: it would be inspected to the last socket on
 * every call, which costs hundreds of milliseconds.
 */
export class DockerConnection {
  readonly address: DockerAddress;
  #version: Promise<string> | null = null;

  constructor(address: DockerAddress) {
    this.address = address;
  }

  /** The version spoken to this daemon, such as `1.44`. Asked once, and again after an outage. */
  apiVersion(): Promise<string> {
    this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = null;
      throw error;
    });
    return this.#version;
  }

  /**
   * One request under a deadline.
   * @param subject what the request is about, for messages: `container`, `image`.
   * @throws EngineError, GantryError engine_unavailable
   */
  async request<T>(
    subject: string,
    timeoutMs: number,
    run: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const version = await this.apiVersion();
    try {
      return await withDeadline(timeoutMs, (signal) => run(this.#client(version), signal));
    } catch (error) {
      if (statusOf(error) === null) this.#version = null;
      throw engineFailure(error, subject);
    }
  }

  /** A client for requests whose answer is a stream; the caller owns the deadline. */
  async streaming(): Promise<Docker> {
    return this.#client(await this.apiVersion());
  }

  async #negotiate(): Promise<string> {
    try {
      const answer = await withDeadline(QUICK_MS, (signal) => ask(this.#client(null), 'version', signal));
      const { ApiVersion: newest, MinAPIVersion: oldest } = answer as Docker.DockerVersion;
      if (compareVersions(newest, PINNED_API) < 0) return newest;
      return oldest !== undefined && compareVersions(oldest, PINNED_API) > 0 ? oldest : PINNED_API;
    } catch (error) {
      throw engineFailure(error, 'engine');
    }
  }

  #client(version: string | null): Docker {
    // Every field is given, also as undefined: dockerode would fill gaps from DOCKER_* of the environment.
    const tls = 'host' in this.address ? this.address : null;
    return new Docker({
      protocol: tls ? 'https' : 'http',
      host: tls?.host,
      port: tls?.port,
      ca: tls?.ca,
      cert: tls?.cert,
      key: tls?.key,
      socketPath: tls ? undefined : (this.address as { socketPath: string }).socketPath,
      pathPrefix: '/',
      timeout: undefined,
      version: version === null ? undefined : `v${version}`,
    } as Docker.DockerOptions);
  }
}

/** dockerode's types leave out the options of these three, which take a signal like all others. */
export function ask(
  docker: Docker,
  what: 'ping' | 'version' | 'info',
  abortSignal: AbortSignal,
): Promise<unknown> {
  const methods = docker as unknown as Record<typeof what, (options: object) => Promise<unknown>>;
  return methods[what]({ abortSignal });
}

/** Compares `1.9` and `1.44` as versions, not as text. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/** dockerode's own timeouts close idle streams too, so each request gets a signal of its own. */
async function withDeadline<T>(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const control = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${timeoutMs} ms`);
    reject(error);
    control.abort(error);
  }, timeoutMs);
  try {
    return await Promise.race([run(control.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}
