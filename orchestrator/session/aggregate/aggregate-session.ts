import {
  type Clock,
  GantryError,
  isObject,
  type JsonRpcId,
  type JsonRpcOutcome,
  OFFER_KINDS,
  OFFER_LISTS,
  type OfferKind,
} from '../../kernel/index.ts';
import type { Router, ServerMessage } from '../../routing/index.ts';
import type { Backend } from '../backend.ts';
import { SEVERITIES } from '../modern/both-eras.ts';
import { answered, badParams, initializeResult, noSuchMethod } from '../over-modern/legacy-answer.ts';
import { agreedVersion, LEGACY_VERSIONS } from '../shared-process.ts';
import type { Aggregates } from './aggregates.ts';
import type { Audience } from './audience.ts';
import type { HeldServer } from './held-server.ts';
import { HeldServers } from './held-servers.ts';
import { instructionsOf, OWN_CAPABILITIES, OWN_INFO } from './introduction.ts';
import { type Member, mergedList, ShownLists } from './merged-lists.ts';
import { sharedUri } from './names.ts';
import { withSharedUris } from './own-uris.ts';
import { isTarget, targetOf, unknown } from './target.ts';
import { ToClient } from './to-client.ts';

export type AggregateSessionOptions = {
  readonly endpoint: string;
  readonly aggregates: Aggregates;
  readonly router: Router;
  readonly clock: Clock;
  readonly principal: string;
  /** The parameters of the client's initialize. */
  readonly hello: Record<string, unknown>;
};

type CallOptions = Parameters<Backend['call']>[2];

/**
 * What stands behind a session on several servers: lists are answered from what is known, and a call opens a session on
 * its server. One that dies ends its calls and nothing else; the next call opens another.
 */
export class AggregateSession implements Backend {
  /** What it watches, and where, would have to be known too. */
  readonly takeover = null;
  readonly replica = null;
  readonly over: Promise<void> = new Promise(() => {}); // no server's end is the end of the session
  readonly #options: AggregateSessionOptions;
  readonly #audience: Audience;
  readonly #held: HeldServers;
  readonly #toClient = new ToClient();
  readonly #shown = new ShownLists();
  readonly #stopWatching: () => void;
  /** Resources that were watched in sessions which are over, by server. */
  readonly #watchedBefore = new Map<string, ReadonlySet<string>>();
  #logLevel: string | null = null;
  #tell: (message: ServerMessage) => void = () => {};

  constructor(options: AggregateSessionOptions) {
    this.#options = options;
    const { aggregates, principal, hello } = options;
    this.#audience = { principal, capabilities: isObject(hello.capabilities) ? hello.capabilities : {} };
    this.#held = new HeldServers({
      ...options,
      known: (server) => aggregates.known(server, this.#audience),
      count: (server, by) => aggregates.held(server, by),
      tell: (held, message) => this.#heard(held, message),
      onOpened: (held) => this.#opened(held),
      onOver: (held) => this.#over(held),
    });
    this.#stopWatching = aggregates.watch(() => this.#tellChanges());
  }

  async initialize(params: Record<string, unknown>): Promise<JsonRpcOutcome> {
    const version = agreedVersion(params.protocolVersion, LEGACY_VERSIONS[0]);
    const introduction = { serverInfo: OWN_INFO, instructions: instructionsOf(this.#members()) };
    return initializeResult(introduction, version, OWN_CAPABILITIES);
  }

  async call(
    method: string,
    params: Record<string, unknown> = {},
    options: CallOptions,
  ): Promise<JsonRpcOutcome> {
    if (method === 'ping') return answered({});
    if (method === 'logging/setLevel') return await this.#setLevel(params, options);
    const kind = OFFER_KINDS.find((one) => OFFER_LISTS[one].method === method);
    if (kind !== undefined) return await this.#list(kind, params);
    const { endpoint, aggregates } = this.#options;
    const servers = (): readonly string[] => aggregates.servers(endpoint);
    const target = targetOf(method, params, (...offered) => aggregates.offers(endpoint, ...offered), servers);
    if (target === null) return noSuchMethod(method);
    if (!isTarget(target)) return target;
    try {
      return await this.#relay(method, target, options);
    } catch (error) {
      // Removed just now. Its own error would tell the client that the session is gone.
      const isGone = error instanceof GantryError && error.code === 'server_not_found';
      if (isGone) return unknown(target.what, target.shared, servers());
      throw error;
    }
  }

  async notify(method: string, params: Record<string, unknown> | undefined): Promise<void> {
    if (method === 'notifications/initialized') return; // each server is told when its own session begins
    if (method === 'notifications/progress') {
      const asked = this.#toClient.progress(params?.progressToken);
      await asked?.held.backend.notify(method, { ...params, progressToken: asked.progressToken });
      return;
    }
    // One that has died meanwhile hears nothing, and the others do.
    await Promise.allSettled(this.#held.all.map(({ backend }) => backend.notify(method, params)));
  }

  async respond(id: JsonRpcId, answer: { result: unknown } | { error: unknown }): Promise<void> {
    const asked = this.#toClient.answered(id);
    await asked?.held.backend.respond(asked.id, answer);
  }

  listen(listener: (message: ServerMessage) => void): void {
    this.#tell = listener;
  }

  close(why: string): void {
    this.#stopWatching();
    this.#held.close(why);
  }

  async #relay(
    method: string,
    { server, own, params }: { server: string; own: string; params: Readonly<Record<string, unknown>> },
    { signal, onMessage }: CallOptions,
  ): Promise<JsonRpcOutcome> {
    const held = await this.#held.on(server, signal);
    const hear = (message: ServerMessage): void => onMessage(this.#toClient.message(held, message));
    const outcome = await held.call(method, { ...params }, { signal, onMessage: hear });
    if (outcome.ok && method === 'resources/subscribe') held.watched.add(own);
    if (outcome.ok && method === 'resources/unsubscribe') held.watched.delete(own);
    return withSharedUris(server, method, outcome);
  }

  async #list(kind: OfferKind, { cursor }: Record<string, unknown>): Promise<JsonRpcOutcome> {
    if (cursor !== undefined) return badParams('There is no such cursor: everything is on one page here.');
    const { aggregates, clock } = this.#options;
    await this.#held.settled(clock, LIST_PATIENCE_MS);
    const members = this.#members();
    aggregates.leftOut(members);
    this.#shown.show(kind, members);
    return mergedList(kind, members);
  }

  async #setLevel({ level }: Record<string, unknown>, options: CallOptions): Promise<JsonRpcOutcome> {
    if (typeof level !== 'string' || !SEVERITIES.includes(level)) {
      return badParams(`level must be one of ${SEVERITIES.join(', ')}.`);
    }
    this.#logLevel = level;
    const logging = this.#held.all.filter(({ hasLogging }) => hasLogging);
    await Promise.allSettled(
      logging.map(({ backend }) => backend.call('logging/setLevel', { level }, options)),
    );
    return answered({});
  }

  /** What the client asked of all servers before this one was needed. */
  async #opened(held: HeldServer): Promise<void> {
    const { aggregates } = this.#options;
    if (this.#logLevel !== null && held.hasLogging) {
      await held.settle('logging/setLevel', { level: this.#logLevel });
    }
    for (const uri of this.#watchedBefore.get(held.server) ?? []) {
      if (await held.settle('resources/subscribe', { uri })) held.watched.add(uri);
    }
    this.#watchedBefore.delete(held.server);
    if (!aggregates.isUnknown(held.server, this.#audience)) return;
    void held.read().then(() => {
      if (held.offers !== null) aggregates.learn(held.server, this.#audience, held.offers);
    });
  }

  /** What the client watched there may have changed unheard: when it reads that, another session begins and watches it. */
  #over(held: HeldServer): void {
    for (const requestId of this.#toClient.forget(held)) {
      this.#say('notifications/cancelled', { requestId, reason: `the session on ${held.server} is over` });
    }
    if (held.watched.size > 0) this.#watchedBefore.set(held.server, held.watched);
    for (const uri of held.watched) {
      this.#say('notifications/resources/updated', { uri: sharedUri({ server: held.server, own: uri }) });
    }
    this.#tellChanges();
  }

  #heard(held: HeldServer, message: ServerMessage): void {
    const told = this.#toClient.message(held, message);
    if (!held.isNews(message)) return this.#tell(told);
    // Told when the new list is there, since clients ask for it at once.
    void held.read().then(() => {
      this.#shown.changes(this.#members());
      this.#tell(told);
    });
  }

  #tellChanges(): void {
    for (const method of this.#shown.changes(this.#members())) this.#say(method);
  }

  #say(method: string, params?: Record<string, unknown>): void {
    this.#tell({ kind: 'notification', method, params });
  }

  #members(): readonly Member[] {
    const { aggregates, endpoint } = this.#options;
    return aggregates.members(endpoint, this.#audience, (server) => this.#held.find(server)?.offers ?? null);
  }
}

/** So long a list waits for a server that reads its own anew; then it is shown as it was. */
const LIST_PATIENCE_MS = 2000;
