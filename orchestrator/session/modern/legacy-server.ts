import { type Clock, GantryError, type JsonRpcOutcome, SERVER_INFO_KEY } from '../../kernel/index.ts';
import type { ListSource, ServerMessage } from '../../routing/index.ts';
import { AskingCall, type Deliver, mayBeAsked } from './asking-call.ts';
import { COMMON_METHODS, offeredOf } from './both-eras.ts';
import { type HeldCall, HeldCalls } from './held-calls.ts';
import { type Caller, type Leases, leaseKey } from './leases.ts';
import { checkParamHeaders } from './param-headers.ts';
import { type HeaderOf, type ModernRequest, nameOf } from './request.ts';
import type { StateOwner, StateSeal } from './request-state.ts';
import type { ToolSchemas } from './tool-schemas.ts';
import { discovery, isWantedLog, legacyParams, modernOutcome } from './translate.ts';

/** Methods during which a server may ask its client (MCP 2026-07-28, multi round-trip requests). */
const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Under sharing `shared` nobody is asked, and what needs one client is withheld. */
const SHAREABLE = ['tools', 'prompts', 'resources', 'completions'];

/** Serves clients of MCP 2026-07-28 from servers that know only the handshake. */
export class LegacyServer {
  readonly #clock: Clock;
  readonly #leases: Leases;
  readonly #schemas: ToolSchemas;
  readonly #held: HeldCalls;

  constructor(options: { clock: Clock; leases: Leases; schemas: ToolSchemas; seal: StateSeal }) {
    this.#clock = options.clock;
    this.#leases = options.leases;
    this.#schemas = options.schemas;
    this.#held = new HeldCalls(options.clock, options.seal);
  }

  /**
   * One request, answered in the modern way.
   * @throws GantryError method_not_found, header_mismatch, request_state_refused, and what a call throws
   */
  async call(
    caller: Caller,
    request: ModernRequest,
    headerOf: HeaderOf,
    deliver: Deliver,
  ): Promise<JsonRpcOutcome> {
    if (request.method === 'server/discover') return this.#discover(caller, request);
    if (!COMMON_METHODS.has(request.method)) throw methodNotFound(request.method);
    const owner = ownerOf(caller, request);
    const { requestState } = request.params;
    const wanted: Deliver = (message) => deliverWanted(message, request, deliver);
    if (caller.spec.sharing === 'shared' && requestState === undefined) {
      return this.#relay(caller, request, headerOf, wanted);
    }
    const held =
      requestState === undefined
        ? await this.#begin(caller, request, headerOf, wanted)
        : this.#held.take(requestState, owner);
    return this.#goOn(held, caller, request, owner, wanted);
  }

  close(): void {
    this.#held.close();
  }

  async #discover(caller: Caller, { params }: ModernRequest): Promise<JsonRpcOutcome> {
    const handshake = await this.#leases.handshake(caller);
    const known = Object.entries(offeredOf(handshake.capabilities));
    const isShared = caller.spec.sharing === 'shared';
    const offered = Object.fromEntries(known.filter(([key]) => !isShared || SHAREABLE.includes(key)));
    return modernOutcome('server/discover', params, discovery(handshake, offered), handshake);
  }

  /** Nothing is asked of anybody here, so the call needs no process of its own and may move to another one. */
  async #relay(
    caller: Caller,
    request: ModernRequest,
    headerOf: HeaderOf,
    deliver: Deliver,
  ): Promise<JsonRpcOutcome> {
    const { method, params } = request;
    const ask: ListSource['call'] = async (asked, given) =>
      (await this.#leases.call(caller, { method: asked, params: given })).outcome;
    if (method === 'tools/call') await this.#checkParams(caller, request, headerOf, { call: ask });
    const sent = { method, params: legacyParams(params) };
    const { outcome, handshake } = await this.#leases.call(caller, sent, deliver);
    return modernOutcome(method, params, outcome, handshake ?? { serverInfo: {} });
  }

  async #begin(
    caller: Caller,
    request: ModernRequest,
    headerOf: HeaderOf,
    deliver: Deliver,
  ): Promise<HeldCall> {
    const { spec, capabilities } = caller;
    const { method, params, logLevel } = request;
    const exclusive =
      spec.sharing !== 'shared' && MAY_ASK.has(method) && (mayBeAsked(capabilities) || logLevel !== null);
    const lease = await this.#leases.lease(caller, exclusive ? 'exclusive' : 'together');
    try {
      if (method === 'tools/call') await this.#checkParams(caller, request, headerOf, lease.replica);
    } catch (error) {
      lease.release();
      throw error;
    }
    const call = new AskingCall({
      replica: lease.replica,
      clock: this.#clock,
      timeouts: spec.timeouts,
      method,
      params: legacyParams(params),
      capabilities: exclusive ? capabilities : {},
      exclusive,
      deliver,
    });
    return { call, lease };
  }

  async #goOn(
    held: HeldCall,
    caller: Caller,
    request: ModernRequest,
    owner: StateOwner,
    deliver: Deliver,
  ): Promise<JsonRpcOutcome> {
    const { call, lease } = held;
    const onGone = (): void => call.cancel('the client closed its stream');
    caller.signal.addEventListener('abort', onGone);
    if (caller.signal.aborted) onGone();
    try {
      if (request.params.requestState !== undefined) {
        await lease.resume(caller.signal);
        await call.answer(responsesOf(request), deliver);
      }
      const outcome = await call.next();
      if (outcome === null) {
        // A principal has this one process: its other calls must not wait until a person has answered.
        if (caller.spec.sharing === 'principal') lease.pause();
        return inputRequired(call, this.#held.hold(held, owner), lease.replica.handshake?.serverInfo ?? {});
      }
      lease.release();
      const handshake = lease.replica.handshake ?? { serverInfo: {} };
      return modernOutcome(request.method, request.params, outcome, handshake);
    } catch (error) {
      call.cancel('its caller was told that it failed');
      // In a principal's one process is its state: it is only ended for a reason that lies in the process.
      const isCancelled = error instanceof GantryError && error.code === 'cancelled';
      if (isCancelled && caller.spec.sharing === 'principal' && !call.asks) lease.release();
      else lease.discard('its call did not end well');
      throw error;
    } finally {
      caller.signal.removeEventListener('abort', onGone);
    }
  }

  async #checkParams(
    caller: Caller,
    { params }: ModernRequest,
    headerOf: HeaderOf,
    replica: ListSource,
  ): Promise<void> {
    const { name, arguments: args } = params;
    if (typeof name !== 'string') return;
    const options = { ...caller.spec.timeouts, signal: caller.signal };
    const ask = { replica, params: {}, options };
    const tool = await this.#schemas.tool(name, caller.spec.name, leaseKey(caller), ask);
    checkParamHeaders(tool, args, headerOf);
  }
}

export function ownerOf({ spec, principal }: Caller, { method, params }: ModernRequest): StateOwner {
  return { server: spec.name, principal, method, name: nameOf(method, params) };
}

export function methodNotFound(method: string): GantryError {
  return new GantryError('method_not_found', `There is no method ${method} here.`, { detail: { method } });
}

function responsesOf({ params }: ModernRequest): Record<string, unknown> {
  const { inputResponses } = params;
  return typeof inputResponses === 'object' && inputResponses !== null ? { ...inputResponses } : {};
}

function deliverWanted(message: ServerMessage, request: ModernRequest, deliver: Deliver): void {
  if (message.method === 'notifications/message' && !isWantedLog(message.params, request.logLevel)) return;
  if (message.method !== 'notifications/progress') return deliver(message);
  // A call that goes on reports to the request that waits for it now.
  const { progressToken } = request.meta;
  if (progressToken !== undefined) deliver({ ...message, params: { ...message.params, progressToken } });
}

function inputRequired(
  { inputRequests }: AskingCall,
  requestState: string,
  serverInfo: Readonly<Record<string, unknown>>,
): JsonRpcOutcome {
  const _meta = { [SERVER_INFO_KEY]: serverInfo };
  const result = { resultType: 'input_required', inputRequests, requestState, _meta };
  return { ok: true, result, raw: JSON.stringify(result) };
}
