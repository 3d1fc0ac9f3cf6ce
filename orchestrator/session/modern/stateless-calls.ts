import {
  type Clock,
  type Facts,
  GantryError,
  type JsonRpcOutcome,
  type ServerSpec,
  speaks,
} from '../../kernel/index.ts';
import type { Replica, Router, ServerMessage } from '../../routing/index.ts';
import type { Answer, EncodeError } from '../calls.ts';
import type { ClientMessage } from '../client-message.ts';
import { encodeMessage, encodeOutcome } from '../encode.ts';
import { type OutEvent, OutStream, PATIENCE_MS } from '../out-stream.ts';
import { onlyOffered, refusedTool } from '../tool-gate.ts';
import type { Deliver } from './asking-call.ts';
import { type Caller, Leases } from './leases.ts';
import { LegacyServer, methodNotFound } from './legacy-server.ts';
import { listenToLegacy } from './listen-legacy.ts';
import { ModernServer } from './modern-server.ts';
import { type HeaderOf, type ModernRequest, readModernRequest } from './request.ts';
import { StateSeal } from './request-state.ts';
import { Subscriptions } from './subscriptions.ts';
import { ToolSchemas } from './tool-schemas.ts';
import { WatchedResources } from './watched-resources.ts';

/** What the revision has removed: no server is asked. */
const REMOVED = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
]);

export type StatelessSender = { readonly server: string; readonly principal: string };

export type StatelessReply = { readonly kind: 'accepted' } | Answer;

export type StatelessOptions = {
  readonly router: Router;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly encodeError: EncodeError;
};

/** Clients of MCP 2026-07-28: each request stands for itself, whichever era its server speaks. */
export class StatelessCalls {
  readonly #options: StatelessOptions;
  readonly #subscriptions = new Subscriptions();
  readonly #watched = new WatchedResources();
  readonly #schemas: ToolSchemas;
  readonly #leases: Leases;
  readonly #legacy: LegacyServer;
  readonly #modern: ModernServer;
  #closing = false;

  constructor(options: StatelessOptions) {
    this.#options = options;
    const { router, clock, facts } = options;
    this.#schemas = new ToolSchemas(clock);
    this.#leases = new Leases({ router, clock, facts, onLoose: (...loose) => this.#changed(...loose) });
    const shared = { ...options, leases: this.#leases, schemas: this.#schemas, seal: new StateSeal(clock) };
    this.#legacy = new LegacyServer(shared);
    this.#modern = new ModernServer(shared);
  }

  /**
   * One message of a client. Notifications are taken and have no effect: the one that mattered, the cancellation, is
   * the closing of the response stream.
   * @param gone aborts when the client's connection is gone, which withdraws its call.
   * @throws GantryError what `readModernRequest` and calls throw, method_not_found, invalid_request
   */
  async take(
    sender: StatelessSender,
    message: ClientMessage,
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<StatelessReply> {
    const spec = this.#options.router.spec(sender.server);
    const request = requestOf(message, headerOf);
    if (request === null) return { kind: 'accepted' };
    this.refuseWhenClosing(spec.name);
    const refusal = refusedTool(spec, request.method, request.params);
    if (refusal !== null) return { kind: 'json', outcome: refusal };
    const { principal } = sender;
    const caller: Caller = { spec, principal, capabilities: request.capabilities, signal: gone };
    const verdict = await this.#options.router.era(spec.name);
    if (speaks(verdict, 'modern')) {
      const isStanding = verdict.era === 'modern' || verdict.mixed;
      return this.#answer(request, spec, (deliver) =>
        this.#modern.call({ ...caller, isStanding }, request, headerOf, deliver),
      );
    }
    if (request.method === 'subscriptions/listen') {
      const shared = { subscriptions: this.#subscriptions, leases: this.#leases, watched: this.#watched };
      const listening = { ...shared, encodeError: this.#options.encodeError };
      return { kind: 'stream', stream: listenToLegacy(caller, request, listening).stream };
    }
    return this.#answer(request, spec, (deliver) => this.#legacy.call(caller, request, headerOf, deliver));
  }

  /** @throws GantryError no_replica */
  refuseWhenClosing(server: string | null): void {
    if (!this.#closing) return;
    const text = 'The orchestrator is stopping and takes no new calls.';
    throw new GantryError('no_replica', text, { detail: { server, retryAfterMs: 5000 } });
  }

  /** Whether somebody wants to hear of changes of a server. */
  isListening(server: string): boolean {
    return this.#subscriptions.has(server);
  }

  /** New calls are refused, the present ones go on. */
  drain(): void {
    this.#closing = true;
    this.#subscriptions.close();
    this.#legacy.close();
    this.#modern.drain();
  }

  close(): void {
    this.drain();
    this.#leases.close();
    this.#modern.close();
  }

  /** JSON, unless the server says something before its answer or takes long: then a stream. */
  async #answer(
    { id, method }: ModernRequest,
    { tools }: ServerSpec,
    work: (deliver: Deliver) => Promise<JsonRpcOutcome>,
  ): Promise<StatelessReply> {
    const stream = new OutStream<OutEvent>();
    const streaming = Promise.withResolvers<'stream'>();
    let hasSpoken = false;
    const outcome = work((message) => {
      hasSpoken = true;
      stream.push({ data: encodeMessage(message) });
      streaming.resolve('stream');
    }).then((answer) => onlyOffered(tools, method, answer));
    const stopWaiting = this.#options.clock.after(PATIENCE_MS, () => streaming.resolve('stream'));
    try {
      const first = await Promise.race([outcome, streaming.promise]);
      if (first !== 'stream' && !hasSpoken) return { kind: 'json', outcome: first };
      const { encodeError } = this.#options;
      const ended = outcome.then(
        (last) => encodeOutcome(id, last),
        (error) => encodeError(id, error),
      );
      void ended.then((text) => {
        stream.push({ data: text });
        stream.end();
      });
      return { kind: 'stream', stream };
    } finally {
      stopWaiting();
    }
  }

  #changed(source: Replica, principal: string | null, message: ServerMessage): void {
    if (message.method === 'notifications/tools/list_changed') this.#schemas.forget(source.identity.server);
    this.#subscriptions.announce(source, principal, message);
  }
}

/**
 * The request that a message is; null for a notification, which has no effect in this revision.
 * @throws GantryError invalid_request, method_not_found, and as `readModernRequest`
 */
export function requestOf(message: ClientMessage, headerOf: HeaderOf): ModernRequest | null {
  if (message.kind === 'notification') return null;
  if (message.kind === 'response') {
    const text = 'A response is not accepted: this revision has no requests from servers to clients.';
    throw new GantryError('invalid_request', text);
  }
  const request = readModernRequest(message, headerOf);
  if (REMOVED.has(request.method)) throw methodNotFound(request.method);
  return request;
}
