import {
  type Clock,
  GantryError,
  type JsonRpcId,
  type JsonRpcOutcome,
  type Timeouts,
} from '../../kernel/index.ts';
import type { Replica, ServerMessage } from '../../routing/index.ts';
import { ASKS } from './both-eras.ts';

/** Servers that ask several things at once write them in one go; so much is waited for the rest. */
const GATHER_MS = 10;

type Ask = { readonly id: JsonRpcId; readonly method: string; readonly params: Record<string, unknown> };
/** A notification of the server that belongs to the call. */
export type Deliver = (message: ServerMessage) => void;

/** Whether a client that can do this may be asked for anything at all. */
export function mayBeAsked(capabilities: Readonly<Record<string, unknown>>): boolean {
  return Object.values(ASKS).some((capability) => capability in capabilities);
}

export type AskingCallOptions = {
  readonly replica: Replica;
  readonly clock: Clock;
  readonly timeouts: Pick<Timeouts, 'callTimeoutMs' | 'maxCallMs'>;
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Whether messages without correlation are this call's: only where it has the replica for itself. */
  readonly exclusive: boolean;
  /** Takes what the server says until the call goes on for another request. */
  readonly deliver: Deliver;
};

/**
 * One call to a server that may stop it to ask the client something. The call stays open at the server while the
 * client, which has no session, is sent away with the question and comes back with the answer.
 */
export class AskingCall {
  readonly #options: AskingCallOptions;
  readonly #abort = new AbortController();
  readonly #outcome: Promise<JsonRpcOutcome>;
  readonly #names = new Map<string, Ask>();
  #deliver: Deliver;
  #asked = Promise.withResolvers<void>();
  #cancelGather: () => void = () => {};
  #cancelSilence: () => void = () => {};
  #askCount = 0;
  /** The client has been sent away with the questions. */
  #held = false;
  #over = false;

  constructor(options: AskingCallOptions) {
    this.#options = options;
    this.#deliver = options.deliver;
    const { replica, method, params, timeouts, exclusive } = options;
    const isHeld = (): boolean => this.#held;
    this.#outcome = replica.call(method, params, {
      maxCallMs: timeouts.maxCallMs,
      // Silence is measured here: while the client thinks, the server is not the one that is silent.
      callTimeoutMs: timeouts.maxCallMs,
      signal: this.#abort.signal,
      // While it waits for its client, what the server says belongs to another call.
      get takesUnattributed() {
        return exclusive && !isHeld();
      },
      onMessage: (message) => this.#take(message),
    });
    const over = (): void => {
      this.#over = true;
      this.#cancelSilence();
      this.#cancelGather();
    };
    this.#outcome.then(over, over);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Whether the server waits for the client. */
  get asks(): boolean {
    return this.#names.size > 0;
  }

  /** What the server asks, by the name that the client answers under. */
  get inputRequests(): Record<string, { method: string; params: Record<string, unknown> }> {
    return Object.fromEntries(
      [...this.#names].map(([name, { method, params }]) => [name, { method, params }]),
    );
  }

  /**
   * Lets the server work until it answers, or asks something: then null.
   * @throws as `Replica.call`
   */
  async next(): Promise<JsonRpcOutcome | null> {
    this.#listenForSilence();
    try {
      const asked = this.asks ? null : this.#asked.promise.then(() => null);
      const first = await Promise.race([this.#outcome, asked]);
      this.#held = first === null;
      return first;
    } catch (error) {
      // Withdrawn by ourselves: the reason for that is the error.
      const cause = error instanceof GantryError && error.code === 'cancelled' ? error.cause : null;
      throw cause instanceof GantryError ? cause : error;
    }
  }

  /**
   * Hands the client's answers on. What it left out is still asked; what nobody asked for is ignored.
   * @param deliver takes what the server says from now on
   */
  async answer(responses: Readonly<Record<string, unknown>>, deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    this.#held = false;
    for (const [name, { id }] of [...this.#names]) {
      const result = responses[name];
      if (typeof result !== 'object' || result === null) continue;
      this.#names.delete(name);
      await this.#options.replica.respond(id, { result });
    }
    if (!this.asks) this.#asked = Promise.withResolvers();
  }

  /** The caller wants no answer any more: the server is told. */
  cancel(why: unknown): void {
    this.#deliver = () => {};
    this.#outcome.catch(() => {
      // Nobody waits for it any more.
    });
    this.#abort.abort(why);
  }

  #take(message: ServerMessage): void {
    this.#listenForSilence();
    if (message.kind === 'notification') {
      return message.method === 'notifications/cancelled' ? this.#withdrawn(message) : this.#deliver(message);
    }
    const { id, method, params = {} } = message;
    const capability = ASKS[method];
    if (capability === undefined || !(capability in this.#options.capabilities)) {
      const answer = method === 'ping' ? { result: {} } : { error: notAble(method) };
      return void this.#options.replica.respond(id, answer).catch(() => {
        // The process has ended meanwhile; the call ends with the reason.
      });
    }
    this.#cancelSilence();
    this.#names.set(`input_${++this.#askCount}`, { id, method, params });
    this.#cancelGather();
    this.#cancelGather = this.#options.clock.after(GATHER_MS, () => this.#asked.resolve());
  }

  /** The server does not want its answer any more. */
  #withdrawn({ params }: ServerMessage): void {
    for (const [name, { id }] of this.#names) if (id === params?.requestId) this.#names.delete(name);
  }

  #listenForSilence(): void {
    this.#cancelSilence();
    if (this.#over || this.asks) return;
    const { callTimeoutMs } = this.#options.timeouts;
    this.#cancelSilence = this.#options.clock.after(callTimeoutMs, () => this.#abort.abort(this.#silent()));
  }

  #silent(): GantryError {
    const { method, timeouts } = this.#options;
    const limit = `callTimeoutMs ${timeouts.callTimeoutMs}`;
    const message = `The server did not answer ${method} in time (${limit}). The call may still be running.`;
    return new GantryError('call_timeout', message, { detail: { method, limit, mayHaveRun: true } });
  }
}

function notAble(method: string) {
  return { code: -32601, message: `The client that made this call does not offer ${method}.` };
}
