import { GantryError, type JsonRpcOutcome, OFFER_KINDS, OFFER_LISTS } from '../../kernel/index.ts';
import type { EncodeError } from '../calls.ts';
import type { ClientMessage } from '../client-message.ts';
import { methodNotFound } from '../modern/legacy-server.ts';
import type { HeaderOf, ModernRequest } from '../modern/request.ts';
import {
  requestOf,
  type StatelessCalls,
  type StatelessReply,
  type StatelessSender,
} from '../modern/stateless-calls.ts';
import { discovery, modernOutcome } from '../modern/translate.ts';
import { badParams } from '../over-modern/legacy-answer.ts';
import type { Aggregates } from './aggregates.ts';
import type { Audience } from './audience.ts';
import { InnerCalls } from './inner-calls.ts';
import { instructionsOf, OWN_CAPABILITIES, OWN_INFO } from './introduction.ts';
import { MergedListens } from './merged-listens.ts';
import { type Member, mergedList } from './merged-lists.ts';
import { isSet } from './names.ts';
import { ProcessLists } from './process-lists.ts';
import { isTarget, type Target, targetOf, unknown } from './target.ts';

export type StatelessAggregatesOptions = {
  readonly aggregates: Aggregates;
  /** Take what is for one server alone. */
  readonly calls: StatelessCalls;
  readonly encodeError: EncodeError;
};

/**
 * Clients of MCP 2026-07-28 at any address. What is for one server alone goes on as it is; of several, lists are answered from
 * what is known, and the rest goes to the server whose name it bears: a retry after `input_required` too, for it bears
 * the same name.
 */
export class StatelessAggregates {
  readonly #options: StatelessAggregatesOptions;
  readonly #inner: InnerCalls;
  readonly #lists: ProcessLists;
  readonly #listens: MergedListens;

  constructor(options: StatelessAggregatesOptions) {
    this.#options = options;
    const { aggregates, calls, encodeError } = options;
    this.#inner = new InnerCalls(calls);
    this.#lists = new ProcessLists(aggregates, this.#inner);
    this.#listens = new MergedListens({ aggregates, inner: this.#inner, lists: this.#lists, encodeError });
  }

  /** @throws as `StatelessCalls.take` */
  async take(
    sender: StatelessSender,
    message: ClientMessage,
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<StatelessReply> {
    const { aggregates, calls } = this.#options;
    const { server: endpoint, principal } = sender;
    if (!isSet(endpoint)) return await calls.take(sender, message, headerOf, gone);
    aggregates.check(endpoint);
    const request = requestOf(message, headerOf);
    if (request === null) return { kind: 'accepted' };
    calls.refuseWhenClosing(null);
    const { method, params } = request;
    const audience: Audience = { principal, capabilities: request.capabilities };
    const kind = OFFER_KINDS.find((one) => OFFER_LISTS[one].method === method);
    if (kind !== undefined) {
      const members = this.#members(endpoint, audience);
      aggregates.leftOut(members);
      if (params.cursor !== undefined) return own(request, badParams('There is no such cursor.'));
      return own(request, mergedList(kind, members));
    }
    if (method === 'server/discover') return own(request, this.#discover(endpoint, audience));
    if (method === 'subscriptions/listen') {
      const listen = { endpoint, audience, request, headerOf, gone };
      const members = (): readonly Member[] => this.#members(endpoint, audience);
      return { kind: 'stream', stream: this.#listens.open({ ...listen, members }) };
    }
    const servers = (): readonly string[] => aggregates.servers(endpoint);
    const target = targetOf(method, params, (...offered) => aggregates.offers(endpoint, ...offered), servers);
    if (target === null) throw methodNotFound(method);
    if (!isTarget(target)) return own(request, target);
    return await this.#relay(target, audience, request, headerOf, gone).catch((error) => {
      // Removed just now: its own error would say that the address is wrong.
      const isGone = error instanceof GantryError && error.code === 'server_not_found';
      if (isGone) return own(request, unknown(target.what, target.shared, servers()));
      throw error;
    });
  }

  /** Subscriptions end: they have no end of their own, and a stop would wait for them. */
  drain(): void {
    this.#listens.close();
  }

  async #relay(
    target: Target,
    audience: Audience,
    request: ModernRequest,
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<StatelessReply> {
    const reply = await this.#inner.relay(target, audience.principal, request, headerOf, gone);
    // Now there is a process that was told what this client can do.
    void this.#lists.used(target.server, audience, { request, headerOf });
    this.#listens.used(target.server, audience.principal);
    return reply;
  }

  #discover(endpoint: string, audience: Audience): JsonRpcOutcome {
    const instructions = instructionsOf(this.#members(endpoint, audience));
    return discovery({ instructions }, OWN_CAPABILITIES);
  }

  #members(endpoint: string, audience: Audience): readonly Member[] {
    const own = (server: string) => this.#lists.of(server, audience);
    return this.#options.aggregates.members(endpoint, audience, own);
  }
}

/** An answer of Gantry's own. */
function own({ method, params }: ModernRequest, outcome: JsonRpcOutcome): StatelessReply {
  return { kind: 'json', outcome: modernOutcome(method, params, outcome, { serverInfo: OWN_INFO }) };
}
