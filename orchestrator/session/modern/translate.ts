import {
  type JsonRpcError,
  type JsonRpcOutcome,
  META_PREFIX,
  MODERN_VERSIONS,
  SERVER_INFO_KEY,
} from '../../kernel/index.ts';
import type { Handshake } from '../../routing/index.ts';
import { SEVERITIES } from './both-eras.ts';
import { memberOf, withMembers } from './json-members.ts';

/** Results that say how long they may be kept (MCP 2026-07-28, caching). */
const CACHEABLE = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);
/** A legacy server says nothing about caching, so its answers are stale at once and nobody else's. */
const CACHE_HINTS = { ttlMs: '0', cacheScope: '"private"' };

/** Parameters as a legacy server knows them: without what only the other era has. */
export function legacyParams(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { _meta, inputResponses: _responses, requestState: _state, ...rest } = params;
  const kept = Object.entries(_meta ?? {}).filter(([key]) => !key.startsWith(META_PREFIX));
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

/** The result of a legacy server with what the other era wants to see in every result. */
export function modernOutcome(
  method: string,
  params: Readonly<Record<string, unknown>>,
  outcome: JsonRpcOutcome,
  { serverInfo }: Pick<Handshake, 'serverInfo'>,
): JsonRpcOutcome {
  if (!outcome.ok) return { ok: false, error: modernError(outcome.error, params) };
  const meta = memberOf(outcome.raw, '_meta') ?? '{}';
  const raw = withMembers(outcome.raw, {
    resultType: '"complete"',
    ...(CACHEABLE.has(method) ? CACHE_HINTS : {}),
    _meta: withMembers(meta, { [SERVER_INFO_KEY]: JSON.stringify(serverInfo) }),
  });
  return { ok: true, result: outcome.result, raw };
}

/**
 * What `server/discover` answers for a server that was only ever asked to initialize.
 * @param offered of its capabilities
 */
export function discovery(
  { instructions }: Pick<Handshake, 'instructions'>,
  offered: Readonly<Record<string, unknown>>,
): JsonRpcOutcome {
  const result = {
    supportedVersions: MODERN_VERSIONS,
    capabilities: offered,
    ...(instructions === null ? {} : { instructions }),
  };
  return { ok: true, result, raw: JSON.stringify(result) };
}

/** Whether a log message is severe enough for a client that asked for `wanted`; one that asked for none gets none. */
export function isWantedLog(
  params: Readonly<Record<string, unknown>> | undefined,
  wanted: string | null,
): boolean {
  if (wanted === null) return false;
  const severity = SEVERITIES.indexOf(params?.level as string);
  return severity >= 0 && severity >= SEVERITIES.indexOf(wanted);
}

/** "Resource not found" has changed its number between the eras. */
function modernError(error: JsonRpcError, params: Readonly<Record<string, unknown>>): JsonRpcError {
  if (error.code !== -32002) return error;
  const data = typeof error.data === 'object' && error.data !== null ? error.data : {};
  return { ...error, code: -32602, data: { uri: params.uri, ...data } };
}
