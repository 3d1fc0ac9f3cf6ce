import {
  HEADER_MISMATCH,
  isObject,
  type JsonRpcError,
  type JsonRpcOutcome,
  META_PREFIX,
  MISSING_CAPABILITY,
  UNSUPPORTED_VERSION,
} from '../../kernel/index.ts';
import type { Handshake } from '../../routing/index.ts';
import { memberOf, withMembers } from '../modern/json-members.ts';

const INVALID_PARAMS = -32602;
const RESOURCE_NOT_FOUND = -32002;
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;
const ENVELOPE_FAULTS = [HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION];

/** An answer of a modern server as a client with a session knows it. Results of other kinds than `complete` have none. */
export function legacyOutcome(method: string, outcome: JsonRpcOutcome): JsonRpcOutcome {
  if (!outcome.ok) return { ok: false, error: legacyError(method, outcome.error) };
  const kind = isObject(outcome.result) ? outcome.result.resultType : undefined;
  if (kind !== undefined && kind !== 'complete') {
    return refusal(INTERNAL_ERROR, `The server answered with a result of the kind ${JSON.stringify(kind)}.`);
  }
  const raw = withMembers(outcome.raw, {
    resultType: null,
    ttlMs: null,
    cacheScope: null,
    _meta: legacyMeta(memberOf(outcome.raw, '_meta')),
  });
  return { ok: true, result: outcome.result, raw };
}

/** What initialize answers for a server that was only ever asked to discover. */
export function initializeResult(
  { serverInfo, instructions }: Pick<Handshake, 'serverInfo' | 'instructions'>,
  protocolVersion: string,
  capabilities: Readonly<Record<string, unknown>>,
): JsonRpcOutcome {
  return answered({
    protocolVersion,
    capabilities,
    // Sessions require a name and a version; without sessions a server may keep them to itself.
    serverInfo: { name: 'unnamed', version: 'unknown', ...serverInfo },
    ...(instructions === null ? {} : { instructions }),
  });
}

export function answered(result: unknown): JsonRpcOutcome {
  return { ok: true, result, raw: JSON.stringify(result) };
}

export type Refusal = Extract<JsonRpcOutcome, { ok: false }>;

export function refusal(code: number, message: string, data?: unknown): Refusal {
  return { ok: false, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

export function noSuchMethod(method: string): Refusal {
  return refusal(METHOD_NOT_FOUND, `The server does not have ${method}.`);
}

export function badParams(message: string): Refusal {
  return refusal(INVALID_PARAMS, message);
}

/** A call that cannot go on, for a reason that lies with the client or with what was asked of it. */
export function cannotGoOn(message: string, data?: unknown): Refusal {
  return refusal(INTERNAL_ERROR, message, data);
}

/** Without what the revision reserves; null where nothing is left. */
function legacyMeta(text: string | null): string | null {
  if (text === null) return null;
  const meta: unknown = JSON.parse(text);
  if (!isObject(meta)) return text;
  const reserved = Object.keys(meta).filter((key) => key.startsWith(META_PREFIX));
  if (reserved.length === Object.keys(meta).length) return null;
  return withMembers(text, Object.fromEntries(reserved.map((key) => [key, null])));
}

/** "Resource not found" has changed its number between the eras, and some numbers are of the new one only. */
function legacyError(method: string, error: JsonRpcError): JsonRpcError {
  if (method === 'resources/read' && error.code === INVALID_PARAMS)
    return { ...error, code: RESOURCE_NOT_FOUND };
  return ENVELOPE_FAULTS.includes(error.code) ? { ...error, code: INVALID_PARAMS } : error;
}
