import { type Clock, GantryError, isObject, type JsonRpcOutcome, type Offers } from '../../kernel/index.ts';
import { type ListSource, listOffers, type Router, type ServerMessage } from '../../routing/index.ts';
import type { Backend } from '../backend.ts';
import { backendFor } from '../backends.ts';
import { initialized } from '../begin.ts';

const LIST_CHANGED = /^notifications\/(?:tools|prompts|resources)\/list_changed$/;
/** What is asked on the session's own account is quick, or done without. */
const ASK_TIMEOUT_MS = 10_000;

export type HeldServerOptions = {
  readonly server: string;
  readonly router: Router;
  readonly clock: Clock;
  readonly principal: string;
  /** The parameters of the client's initialize. */
  readonly hello: Record<string, unknown>;
  /** What is known of its lists; counts where one cannot be read. */
  readonly known: () => Offers | null;
  /** The session that holds it ends. */
  readonly ending: AbortSignal;
  /** What the server says outside calls. */
  readonly tell: (held: HeldServer, message: ServerMessage) => void;
};

type Hear = (message: ServerMessage) => void;

/** A session on one server, held by a session on several: it was greeted with the client's own words. */
export class HeldServer {
  readonly server: string;
  readonly backend: Backend;
  /** Resources that the client watches. */
  readonly watched = new Set<string>();
  /** What it can do, by its own account. */
  readonly #introduction: { capabilities: Readonly<Record<string, unknown>>; instructions: string | null };
  readonly #ending: AbortSignal;
  readonly #known: () => Offers | null;
  readonly #tell: HeldServerOptions['tell'];
  #offers: Offers | null = null;
  #reading: Promise<void> | null = null;
  #isStale = false;
  /** Who hears what belongs to the open calls, the newest last. */
  readonly #calls: Hear[] = [];
  #idleSince: number;
  readonly #clock: Clock;

  /** @throws GantryError as `backendFor`, and replica_failed where the server refuses the handshake */
  static async open(options: HeldServerOptions): Promise<HeldServer> {
    const { server, router, clock, principal, hello, ending, tell } = options;
    const backend = await backendFor(router, clock, router.spec(server), principal, hello);
    const early: ServerMessage[] = [];
    let held: HeldServer | null = null;
    backend.listen((message) => (held === null ? early.push(message) : tell(held, message)));
    const outcome = await initialized(backend, hello, ending);
    if (!outcome.ok) {
      const message = `Server ${server} refused the handshake: ${outcome.error.message}`;
      throw new GantryError('replica_failed', message, { detail: { server, mayHaveRun: false } });
    }
    held = new HeldServer(options, backend, outcome.result);
    for (const message of early) tell(held, message);
    await backend.notify('notifications/initialized', undefined);
    return held;
  }

  private constructor(options: HeldServerOptions, backend: Backend, result: unknown) {
    this.server = options.server;
    this.backend = backend;
    this.#ending = options.ending;
    this.#known = options.known;
    this.#tell = options.tell;
    this.#clock = options.clock;
    this.#idleSince = options.clock.now();
    const { capabilities, instructions } = isObject(result) ? result : {};
    this.#introduction = {
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : null,
    };
  }

  /** What it lists itself; null while it was not asked. */
  get offers(): Offers | null {
    return this.#offers;
  }

  /** Settles when its lists have been read; null while nobody reads them. */
  get reading(): Promise<void> | null {
    return this.#reading;
  }

  get hasLogging(): boolean {
    return 'logging' in this.#introduction.capabilities;
  }

  /** How long nobody has needed it, in milliseconds; 0 while somebody does. */
  get idleMs(): number {
    return this.#calls.length > 0 || this.watched.size > 0 ? 0 : this.#clock.now() - this.#idleSince;
  }

  /** A call of the client. @throws as `Backend.call` */
  async call(
    method: string,
    params: Record<string, unknown>,
    { signal, onMessage }: Parameters<Backend['call']>[2],
  ): Promise<JsonRpcOutcome> {
    this.#calls.push(onMessage);
    try {
      return await this.backend.call(method, params, { signal, onMessage });
    } finally {
      this.#calls.splice(this.#calls.indexOf(onMessage), 1);
      this.#idleSince = this.#clock.now();
    }
  }

  /** Asks for something that no call waits for. @returns whether it was granted. Never rejects. */
  async settle(method: string, params: Record<string, unknown>): Promise<boolean> {
    try {
      return (await this.#ask(method, params)).ok;
    } catch {
      return false; // why, the call that needs the session will hear
    }
  }

  /** Whether this message says that a list has to be read again. */
  isNews({ kind, method }: ServerMessage): boolean {
    return kind === 'notification' && LIST_CHANGED.test(method);
  }

  /** Reads all its lists; news that come meanwhile make it read once more. Never rejects. */
  read(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#isStale && !this.#ending.aborted) {
      this.#isStale = false;
      const limits = { callTimeoutMs: ASK_TIMEOUT_MS, maxCallMs: ASK_TIMEOUT_MS };
      const source: ListSource = { call: (method, params) => this.#ask(method, params) };
      this.#offers = await listOffers(source, this.#introduction, limits, this.#offers ?? this.#known());
    }
  }

  /** What a server says without saying to which call it belongs is never about our own questions. */
  #pass(message: ServerMessage): void {
    const newest = this.#calls.at(-1);
    if (newest === undefined) this.#tell(this, message);
    else newest(message);
  }

  async #ask(method: string, params: Record<string, unknown> | undefined): Promise<JsonRpcOutcome> {
    const late = new AbortController();
    const cancelTimer = this.#clock.after(ASK_TIMEOUT_MS, () => late.abort(`${method} took too long`));
    const signal = AbortSignal.any([this.#ending, late.signal]);
    try {
      return await this.backend.call(method, params, { signal, onMessage: (message) => this.#pass(message) });
    } finally {
      cancelTimer();
    }
  }
}
