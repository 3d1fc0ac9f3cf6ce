import type { CallOptions, Link } from '../channel/index.ts';
import type { JsonRpcOutcome } from '../kernel/index.ts';
import { DISCOVER_PARAMS, discoveryOf, GREETING, type Handshake, handshakeOf } from './handshake.ts';
import { helloKey } from './hello.ts';

/** `announce`: false where somebody else says that it is initialized. */
export type InitializeOptions = CallOptions & { readonly announce: boolean };

/** How one process is greeted, by whom, and what it said then. */
export class Greeting {
  readonly #link: Link;
  readonly #onReady: () => void;
  #handshake: Handshake | null = null;
  /** What was said before anybody asked for this process. */
  #ahead: { readonly key: string | null; readonly outcome: JsonRpcOutcome } | null = null;

  constructor(link: Link, onReady: () => void) {
    this.#link = link;
    this.#onReady = onReady;
  }

  /** Null until the handshake is complete. */
  get handshake(): Handshake | null {
    return this.#handshake;
  }

  /** Somebody else has greeted it before, and was told this. */
  takenOver(handshake: Handshake): void {
    this.#handshake = handshake;
    this.#onReady();
  }

  /** What it was greeted with in advance, as `helloKey`; null where it was not. */
  get greetedFor(): string | null {
    return this.#ahead?.key ?? null;
  }

  /**
   * The MCP handshake: initialize, then the initialized notification. The replica is `ready` afterwards.
   * Pools call it with their own identity; for a session it relays the client's own parameters.
   * One that was greeted ahead with the same parameters answers with what the server said then.
   * A JSON-RPC error of the server is returned, not thrown, and leaves the replica in `starting`.
   * @param announce false when the client itself sends `notifications/initialized`.
   * @throws GantryError replica_failed when the process dies first, call_timeout after `timeoutMs`.
   */
  async initialize(params: Record<string, unknown>, options: InitializeOptions): Promise<JsonRpcOutcome> {
    const known = this.#ahead?.key === helloKey(params) ? this.#ahead?.outcome : undefined;
    const outcome = known ?? (await this.#link.call('initialize', params, options));
    if (!outcome.ok) return outcome;
    this.#handshake = handshakeOf(outcome.result);
    if (options.announce) await this.#link.notify('notifications/initialized');
    this.#onReady();
    return outcome;
  }

  /**
   * The handshake in Gantry's own name. Throws as `initialize`.
   * @param capabilities what whoever stands behind Gantry can be asked for.
   */
  greet(readyMs: number, capabilities: Readonly<Record<string, unknown>>): Promise<JsonRpcOutcome> {
    const params = { ...GREETING, capabilities };
    return this.initialize(params, { callTimeoutMs: readyMs, maxCallMs: readyMs, announce: true });
  }

  /** The first half of a handshake in advance; `notifications/initialized` is left to whoever gets it. Throws as `initialize`. */
  async greetAhead(params: Record<string, unknown>, readyMs: number): Promise<JsonRpcOutcome> {
    const options = { callTimeoutMs: readyMs, maxCallMs: readyMs, announce: false };
    const outcome = await this.initialize(params, options);
    if (outcome.ok) this.#ahead = { key: helloKey(params), outcome };
    return outcome;
  }

  /**
   * Asks a fresh process whether it serves without a handshake (MCP 2026-07-28, `server/discover`). A result means
   * that it does, and the replica is `ready`; an error is returned and means that it does not, or not this way.
   * @throws GantryError replica_failed when the process dies of the question, call_timeout after `timeoutMs`.
   */
  async discover(timeoutMs: number, signal?: AbortSignal): Promise<JsonRpcOutcome> {
    const until = signal === undefined ? {} : { signal };
    const limits = { callTimeoutMs: timeoutMs, maxCallMs: timeoutMs, ...until };
    const outcome = await this.#link.call('server/discover', DISCOVER_PARAMS, limits);
    if (outcome.ok) {
      this.#handshake = discoveryOf(outcome.result);
      this.#onReady();
    }
    return outcome;
  }
}
