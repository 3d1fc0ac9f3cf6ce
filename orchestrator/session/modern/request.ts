import {
  CAPABILITIES_KEY,
  GantryError,
  isObject,
  type JsonRpcId,
  LOG_LEVEL_KEY,
  META_PREFIX,
  MODERN_VERSIONS,
  NAME_PARAM,
  VERSION_KEY,
} from '../../kernel/index.ts';
import type { ClientMessage } from '../client-message.ts';
import { isModernVersion } from '../era.ts';
import { decodeHeaderValue } from './header-value.ts';

/** Reads one header of the request; null where it is absent. */
export type HeaderOf = (name: string) => string | null;

/** A request of a client without a session: it says itself who asks and what they can do. */
export type ModernRequest = {
  readonly id: JsonRpcId;
  readonly method: string;
  /** As it came, `_meta` included. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
  /** What the client can be asked for. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** The least severe log message that it wants; without one, none. */
  readonly logLevel: string | null;
};

/**
 * Checks what every request of the revision must have (MCP 2026-07-28, basic): its `_meta` fields, and headers
 * that say the same as the body. Whoever routed by the headers would else have been lied to.
 * @throws GantryError invalid_params, header_mismatch, unsupported_version
 */
export function readModernRequest(
  message: Extract<ClientMessage, { kind: 'request' }>,
  headerOf: HeaderOf,
): ModernRequest {
  const { id, method } = message;
  const params = message.params ?? {};
  const meta = isObject(params._meta) ? params._meta : {};
  const version = meta[VERSION_KEY];
  const capabilities = meta[CAPABILITIES_KEY];
  const logLevel = meta[LOG_LEVEL_KEY];
  if (typeof version !== 'string') throw missing('protocolVersion', 'a string');
  if (!isObject(capabilities)) throw missing('clientCapabilities', 'an object');
  checkHeader(headerOf, 'MCP-Protocol-Version', version);
  if (!isModernVersion(version)) {
    throw new GantryError('unsupported_version', `Protocol version ${JSON.stringify(version)} is unknown.`, {
      detail: { supported: MODERN_VERSIONS, requested: version },
    });
  }
  checkHeader(headerOf, 'Mcp-Method', method);
  const name = nameOf(method, params);
  if (name !== null) checkHeader(headerOf, 'Mcp-Name', name);
  return {
    id,
    method,
    params,
    meta,
    capabilities,
    logLevel: typeof logLevel === 'string' ? logLevel : null,
  };
}

/** What the request is about: a tool's or prompt's name, a resource's address; null where it names nothing. */
export function nameOf(method: string, params: Readonly<Record<string, unknown>>): string | null {
  const key = NAME_PARAM[method];
  const name = key === undefined ? undefined : params[key];
  return typeof name === 'string' ? name : null;
}

function checkHeader(headerOf: HeaderOf, header: string, wanted: string): void {
  const value = headerOf(header);
  if (value !== null && decodeHeaderValue(value) === wanted) return;
  const what = value === null ? 'is missing' : 'does not say the same as the body';
  throw new GantryError('header_mismatch', `The ${header} header ${what}.`, { detail: { header } });
}

function missing(key: string, shape: string): GantryError {
  const path = `params._meta[${JSON.stringify(META_PREFIX + key)}]`;
  return new GantryError('invalid_params', `${path} is required and must be ${shape}.`);
}
