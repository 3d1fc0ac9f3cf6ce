import { type Clock, GantryError, type JsonRpcOutcome } from '../../kernel/index.ts';
import type { CallOptions, Router, ServerMessage } from '../../routing/index.ts';
import { META_PREFIX } from '../era.ts';
import type { Deliver } from './asking-call.ts';
import { ANSWER_WITHIN_MS } from './held-calls.ts';
import { memberOf, withMembers } from './json-members.ts';
import { type Caller, NO_TURNS } from './leases.ts';
import { ownerOf } from './legacy-server.ts';
import { checkParamHeaders } from './param-headers.ts';
import { type Leased, type Opened, WarmReplicas } from './replicas.ts';
import type { HeaderOf, ModernRequest } from './request.ts';
import type { StateSeal } from './request-state.ts';
import { OWN_PARAMS } from './server-era.ts';
import type { ToolSchemas } from './tool-schemas.ts';

/** The longest delay that a timer can have; a subscription has no end of its own. */
const NEVER_MS = 2 ** 31 - 1;
const SUBSCRIPTION_KEY = `${META_PREFIX}subscriptionId`;

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
    caller: Caller,
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
    const stopping = new AbortController();
    const unwatch = replica.watch(({ name }) => {
      if (name === 'draining') stopping.abort();
    });
    const ended = AbortSignal.any([this.#closing.signal, stopping.signal]);
    try {
      const outcome = await replica.call(request.method, params, {
        callTimeoutMs: NEVER_MS,
        maxCallMs: NEVER_MS,
        signal: AbortSignal.any([caller.signal, ended]),
        onMessage: (message) => relay(message, request, deliver),
      });
      return this.#sealed(caller, request, outcome);
    } catch (error) {
      if (!ended.aborted) throw error;
      const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_KEY]: request.id } };
      return { ok: true, result, raw: JSON.stringify(result) };
    } finally {
      unwatch();
      release();
    }
  }

  async #lease(caller: Caller, use: 'exclusive' | 'together' | 'listen'): Promise<Leased> {
    const { spec, principal, signal } = caller;
    const open = (): Promise<Opened> => this.#open(caller);
    if (spec.sharing === 'call') {
      const { replica, end } = await open();
      const done = (): void => end?.('call ended');
      return { replica, ...NO_TURNS, release: done, discard: done };
    }
    const isShared = spec.sharing === 'shared';
    const key = JSON.stringify([spec.name, spec.sharing, isShared ? null : principal]);
    const max = spec.sharing === 'session' ? spec.maxSessions : 1;
    return this.#warm.lease({ spec, key, use, max, open, signal });
  }

  async #open({ spec, principal, signal }: Caller): Promise<Opened> {
    const replica =
      spec.sharing === 'call'
        ? await this.#router.openForCall(spec.name, principal, { signal })
        : await this.#router.openForSession(spec.name, principal);
    const end = (why: string): void => void this.#router.release(replica, why);
    try {
      const outcome = await replica.discover(OWN_PARAMS, spec.timeouts.readyMs);
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
      : { ...outcome, raw: withMembers(outcome.raw, members) };
  }

  async #checkParams(
    caller: Caller,
    request: ModernRequest,
    headerOf: HeaderOf,
    lease: Leased,
  ): Promise<void> {
    const { name, arguments: args } = request.params;
    if (typeof name !== 'string') return;
    const { _meta } = OWN_PARAMS;
    const capabilities = { [`${META_PREFIX}clientCapabilities`]: caller.capabilities };
    const params = { _meta: { ..._meta, ...capabilities } };
    const options = { ...caller.spec.timeouts, signal: caller.signal };
    const key = JSON.stringify(['modern', caller.principal, Object.keys(caller.capabilities).sort()]);
    const ask = { replica: lease.replica, params, options };
    checkParamHeaders(await this.#schemas.tool(name, caller.spec.name, key, ask), args, headerOf);
  }
}

function relay(message: ServerMessage, { id }: ModernRequest, deliver: Deliver): void {
  if (message.kind === 'request') return; // a modern server has no requests
  const meta = message.params?._meta;
  if (typeof meta !== 'object' || meta === null || !(SUBSCRIPTION_KEY in meta)) return deliver(message);
  deliver({ ...message, params: { ...message.params, _meta: { ...meta, [SUBSCRIPTION_KEY]: id } } });
}
