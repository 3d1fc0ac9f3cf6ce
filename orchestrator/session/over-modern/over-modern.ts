import {
  abortSignalOf,
  type Clock,
  GantryError,
  isObject,
  type JsonRpcId,
  type JsonRpcOutcome,
  type ServerSpec,
} from '../../kernel/index.ts';
import type { Handshake, Lease, Replica, ServerMessage } from '../../routing/index.ts';
import type { Backend } from '../backend.ts';
import { COMMON_METHODS, offeredOf, SEVERITIES } from '../modern/both-eras.ts';
import type { TakeoverKind } from '../session-book.ts';
import { agreedVersion, LEGACY_VERSIONS, shareable } from '../shared-process.ts';
import { DescribedClient } from './client.ts';
import { ClientQuestions } from './client-questions.ts';
import { answered, badParams, initializeResult, noSuchMethod } from './legacy-answer.ts';
import { callInRounds, type WithReplica } from './rounds.ts';
import { Watches } from './watches.ts';

export type OverModernOptions = {
  readonly spec: ServerSpec;
  readonly clock: Clock;
  /** What the server said to `server/discover`. @throws as `Router.lease` */
  readonly discover: (signal: AbortSignal) => Promise<Handshake>;
  /** A replica for one call. @throws as `Router.lease` */
  readonly lease: (signal: AbortSignal) => Promise<Lease>;
  /** The session's own process; null where calls are served by a share of others. */
  readonly own: Replica | null;
  readonly close: (why: string) => void;
};

type CallOptions = Parameters<Backend['call']>[2];

/**
 * A session over a server that knows only MCP 2026-07-28: what a session has and the server has not is kept here, and
 * every request describes the client anew. Questions and progress belong to a call whatever stands behind it; log
 * messages and change notices need a process of the session's own, and are else not offered.
 */
export class OverModern implements Backend {
  readonly takeover: TakeoverKind | null;
  readonly replica: string | null;
  readonly over: Promise<void>;
  readonly #options: OverModernOptions;
  readonly #questions: ClientQuestions;
  #client = new DescribedClient({});
  #offered: Readonly<Record<string, unknown>> = {};
  #watches: Watches | null = null;
  #tell: (message: ServerMessage) => void = () => {};

  constructor(options: OverModernOptions) {
    this.#options = options;
    this.#questions = new ClientQuestions(options.clock);
    // What is watched in a process of its own, and the log level, would have to be known too.
    this.takeover = options.own === null ? 'translated' : null;
    this.replica = options.own?.identity.id ?? null;
    // One replica's death is not the end of a session on a share of others: the next call gets another.
    this.over = options.own?.over ?? new Promise(() => {});
  }

  async initialize(params: Record<string, unknown>, signal: AbortSignal): Promise<JsonRpcOutcome> {
    const handshake = await this.#options.discover(signal);
    this.#client = new DescribedClient(params);
    const { own, spec, clock } = this.#options;
    this.#offered = own === null ? shareable(handshake.capabilities) : offeredOf(handshake.capabilities);
    if (own !== null) {
      const { callTimeoutMs } = spec.timeouts;
      const tell = (message: ServerMessage): void => this.#tell(message);
      this.#watches = new Watches({ replica: own, client: this.#client, clock, callTimeoutMs, tell });
      this.#watches.lists(this.#offered);
    }
    const version = agreedVersion(params.protocolVersion, LEGACY_VERSIONS[0]);
    return initializeResult(handshake, version, this.#offered);
  }

  async call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: CallOptions,
  ): Promise<JsonRpcOutcome> {
    switch (method) {
      case 'ping':
        return answered({});
      case 'logging/setLevel':
        return this.#setLevel(params?.level);
      case 'resources/subscribe':
        return await this.#subscribe(params?.uri, (watches, uri) => watches.subscribe(uri));
      case 'resources/unsubscribe':
        return await this.#subscribe(params?.uri, async (watches, uri) => {
          watches.unsubscribe(uri);
          return answered({});
        });
      default:
        return COMMON_METHODS.has(method) ? await this.#relay(method, params, options) : noSuchMethod(method);
    }
  }

  /** None of a session's notifications means anything without one; a cancellation is the end of its call's signal. */
  async notify(): Promise<void> {}

  async respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void> {
    this.#questions.answered(id, answer);
  }

  listen(listener: (message: ServerMessage) => void): void {
    this.#tell = listener;
    this.#options.own?.listen((message) => {
      if (message.kind === 'notification') return listener(message);
      void this.#options.own?.respond(message.id, { error: NO_REQUESTS }).catch(() => {
        // The process has ended meanwhile; it waits for nothing any more.
      });
    });
  }

  close(why: string): void {
    this.#watches?.close();
    this.#options.close(why);
  }

  async #relay(
    method: string,
    params: Record<string, unknown> | undefined,
    options: CallOptions,
  ): Promise<JsonRpcOutcome> {
    const { clock, spec, own, lease } = this.#options;
    const { onMessage } = options;
    const signal = abortSignalOf(options.signal); // joined with others for what the server asks
    const rounds = (withReplica: WithReplica): Promise<JsonRpcOutcome> =>
      callInRounds(method, params, {
        withReplica,
        client: this.#client,
        questions: this.#questions,
        clock,
        timeouts: spec.timeouts,
        signal,
        onMessage,
        takesUnattributed: own !== null,
      });
    const withReplica: WithReplica = async (use) => {
      const { replica, done } = await lease(signal);
      try {
        return await use(replica);
      } finally {
        done();
      }
    };
    // Under `call` the process is the call's for all its rounds; else nobody waits for a client's answer.
    if (spec.sharing === 'call') return await withReplica((replica) => rounds((use) => use(replica)));
    return await rounds(withReplica);
  }

  #setLevel(level: unknown): JsonRpcOutcome {
    if (!('logging' in this.#offered)) return noSuchMethod('logging/setLevel');
    if (typeof level !== 'string' || !SEVERITIES.includes(level)) {
      return badParams(`level must be one of ${SEVERITIES.join(', ')}.`);
    }
    this.#client.logLevel = level;
    return answered({});
  }

  async #subscribe(
    uri: unknown,
    act: (watches: Watches, uri: string) => Promise<JsonRpcOutcome>,
  ): Promise<JsonRpcOutcome> {
    const { resources } = this.#offered;
    const canSubscribe = isObject(resources) && resources.subscribe === true;
    if (this.#watches === null || !canSubscribe) return noSuchMethod('resources/subscribe');
    return typeof uri === 'string' ? await act(this.#watches, uri) : badParams('uri must be a string.');
  }
}

const NO_REQUESTS = { code: -32601, message: 'Servers of MCP 2026-07-28 have no requests to clients.' };

/** What a replica that was greeted in the modern way said then. @throws GantryError no_replica */
export function handshakeOf({ handshake, identity: { server } }: Replica): Handshake {
  if (handshake !== null) return handshake;
  throw new GantryError('no_replica', `Server ${server} has not completed its handshake.`, {
    detail: { server, retryAfterMs: 1000 },
  });
}
