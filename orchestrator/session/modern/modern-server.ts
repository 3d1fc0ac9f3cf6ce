import {
  CAPABILITIES_KEY,
  type Clock,
  GantryError,
  type JsonRpcOutcome,
  MODERN_VERSIONS,
  SUBSCRIPTION_KEY,
  VERSION_KEY,
} from '../../kernel/index.ts';
import type { CallOptions, Router, ServerMessage } from '../../routing/index.ts';
import type { Deliver } from './asking-call.ts';
import { ANSWER_WITHIN_MS } from './held-calls.ts';
import { memberOf, withMembers } from './json-members.ts';
import { type Caller, NO_TURNS } from './leases.ts';
import { ownerOf } from './legacy-server.ts';
import { listening, subscriptionMeta } from './listening.ts';
import { checkParamHeaders } from './param-headers.ts';
import { type Leased, type Opened, WarmReplicas } from './replicas.ts';
import type { HeaderOf, ModernRequest } from './request.ts';
import type { StateSeal } from './request-state.ts';
import type { ToolSchemas } from './tool-schemas.ts';

/** A caller of a server that speaks its era. */
export type ModernCaller = Caller & {
  /** Whether standing replicas serve it: else they were greeted in the other era, and may have to stay in it. */
  readonly isStanding: boolean;
};

/**
 * Relays between clients and servers that both speak MCP 2026-07-28. Many clients may use one process: ids and
 * progress tokens are the link's own, subscription ids are put back here.
 */
export class ModernServer {
  readonly #router: Router;
  readonly #warm: WarmReplicas;
  readonly #schemas: ToolSchemas;
  readonly #seal: StateSeal;
  readonly #closing = new AbortController();

  constructor(options: { router: Router; clock: Clock; schemas: ToolSchemas; seal: StateSeal }) {
    this.#router = options.router;
    this.#warm = new WarmReplicas(options.clock);
    this.#schemas = options.schemas;
    this.#seal = options.seal;
  }

  /** @throws GantryError header_mismatch, request_state_refused, and what a call throws */
  async call(
    caller: ModernCaller,
    request: ModernRequest,
    headerOf: HeaderOf,
    deliver: Deliver,
  ): Promise<JsonRpcOutcome> {
    const { method } = request;
    const isListen = method === 'subscriptions/listen';
    // A log line does not say which request it is about: who wants some has the process to itself meanwhile.
    const exclusive = request.logLevel !== null && caller.spec.sharing !== 'shared';
    const params = this.#paramsFor(caller, request);
    const lease = await this.#lease(caller, isListen ? 'listen' : exclusive ? 'exclusive' : 'together');
    if (isListen) return this.#listen(caller, request, params, lease, deliver);
    const { timeouts } = caller.spec;
    const options: CallOptions = {
      ...timeouts,
      signal: caller.signal,
      takesUnattributed: exclusive,
      onMessage: (message) => relay(message, request, deliver),
    };
    try {
      if (method === 'tools/call') await this.#checkParams(caller, request, headerOf, lease);
      const outcome = await lease.replica.call(method, params, options);
      lease.release();
      return this.#sealed(caller, request, outcome);
    } catch (error) {
      if (error instanceof GantryError && error.code === 'call_timeout') lease.discard('it does not answer');
      else lease.release();
      throw error;
    }
  }

  /** Subscriptions end: they have no end of their own, and a stop would wait for them. */
  drain(): void {
    this.#closing.abort();
  }

  close(): void {
    this.drain();
    this.#warm.close('the orchestrator is stopping');
  }

  /** Lasts until its client leaves, or its process is about to stop. */
  async #listen(
    caller: Caller,
    request: ModernRequest,
    params: Record<string, unknown>,
    { replica, release }: Leased,
    deliver: Deliver,
  ): Promise<JsonRpcOutcome> {
    try {
      const outcome = await listening(replica, params, {
        signal: AbortSignal.any([caller.signal, this.#closing.signal]),
        onMessage: (message) => relay(message, request, deliver),
      });
      return outcome === null ? ended(request) : this.#sealed(caller, request, outcome);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
      return ended(request);
    } finally {
      release();
    }
  }

  async #lease(caller: ModernCaller, use: 'exclusive' | 'together' | 'listen'): Promise<Leased> {
    const { spec, principal, signal, isStanding } = caller;
    if (spec.sharing === 'call') {
      const { replica, end } = await this.#open(caller);
      const done = (): void => end?.('call ended');
      return { replica, ...NO_TURNS, release: done, discard: done };
    }
    const isShared = spec.sharing === 'shared';
    if (isShared && isStanding) {
      const { replica, done } = await this.#router.lease(spec.name, principal, { signal });
      // A subscription has no end of its own: it must not count as a call that keeps its replica busy.
      if (use === 'listen') done();
      return { replica, ...NO_TURNS, release: () => done(), discard: () => done() };
    }
    const key = JSON.stringify([spec.name, spec.sharing, isShared ? null : principal]);
    const max = spec.sharing === 'session' ? spec.maxSessions : 1;
    // The one that serves this principal's calls over the API too: under `principal` its state is the point.
    const open = (isFirst: boolean): Promise<Opened> =>
      isFirst && isStanding ? this.#held(caller) : this.#open(caller);
    return this.#warm.lease({ spec, key, use, max, open, signal });
  }

  async #held({ spec, principal }: Caller): Promise<Opened> {
    const { replica } = await this.#router.lease(spec.name, principal);
    return { replica, end: null };
  }

  async #open({ spec, principal, signal }: Caller): Promise<Opened> {
    const replica =
      spec.sharing === 'call'
        ? await this.#router.openForCall(spec.name, principal, null, { signal })
        : await this.#router.openForSession(spec.name, principal);
    const end = (why: string): void => void this.#router.release(replica, why);
    try {
      const outcome = await replica.discover(spec.timeouts.readyMs);
      if (outcome.ok) return { replica, end };
      const message = `Server ${spec.name} refused server/discover: ${outcome.error.message}`;
      throw new GantryError('replica_failed', message, { detail: { server: spec.name, mayHaveRun: false } });
    } catch (error) {
      end('it did not answer server/discover');
      throw error;
    }
  }

  /** The server's own state is inside ours, which nobody else can bring back. */
  #paramsFor(caller: Caller, request: ModernRequest): Record<string, unknown> {
    const { requestState, ...params } = request.params;
    if (requestState === undefined) return params;
    return { ...params, requestState: this.#seal.open(requestState, ownerOf(caller, request)) };
  }

  #sealed(caller: Caller, request: ModernRequest, outcome: JsonRpcOutcome): JsonRpcOutcome {
    if (!outcome.ok) return outcome;
    const members: Record<string, string> = {};
    const { requestState } = outcome.result as { requestState?: unknown };
    if (typeof requestState === 'string') {
      const sealed = this.#seal.seal(requestState, ownerOf(caller, request), ANSWER_WITHIN_MS);
      members.requestState = JSON.stringify(sealed);
    }
    const meta = memberOf(outcome.raw, '_meta');
    if (meta !== null && memberOf(meta, SUBSCRIPTION_KEY) !== null) {
      members._meta = withMembers(meta, { [SUBSCRIPTION_KEY]: JSON.stringify(request.id) });
    }
    return Object.keys(members).length === 0
      ? outcome
      : { ok: true, result: outcome.result, raw: withMembers(outcome.raw, members) };
  }

  async #checkParams(
    caller: Caller,
    request: ModernRequest,
    headerOf: HeaderOf,
    lease: Leased,
  ): Promise<void> {
    const { name, arguments: args } = request.params;
    if (typeof name !== 'string') return;
    const params = { _meta: { [VERSION_KEY]: MODERN_VERSIONS[0], [CAPABILITIES_KEY]: caller.capabilities } };
    const options = { ...caller.spec.timeouts, signal: caller.signal };
    const key = JSON.stringify(['modern', caller.principal, Object.keys(caller.capabilities).sort()]);
    const ask = { replica: lease.replica, params, options };
    checkParamHeaders(await this.#schemas.tool(name, caller.spec.name, key, ask), args, headerOf);
  }
}

function relay(message: ServerMessage, { id }: ModernRequest, deliver: Deliver): void {
  if (message.kind === 'request') return; // a modern server has no requests
  const meta = subscriptionMeta(message.params);
  if (meta === null) return deliver(message);
  deliver({ ...message, params: { ...message.params, _meta: { ...meta, [SUBSCRIPTION_KEY]: id } } });
}

/** The polite end of a subscription that its server did not say. */
function ended({ id }: ModernRequest): JsonRpcOutcome {
  const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_KEY]: id } };
  return { ok: true, result, raw: JSON.stringify(result) };
}
