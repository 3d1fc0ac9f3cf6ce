import packageJson from '../../package.json' with { type: 'json' };
import {
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  type Era,
  isObject,
  MODERN_VERSIONS,
  SERVER_INFO_KEY,
  VERSION_KEY,
} from '../kernel/index.ts';

/** What the server said of itself when the handshake was done. */
export type Handshake = {
  /** How it was greeted: `initialize` or `server/discover`. */
  readonly era: Era;
  readonly protocolVersion: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly serverInfo: Readonly<Record<string, unknown>>;
  readonly instructions: string | null;
};

/** The newest revision with a handshake; a server that knows only older ones answers with its own (MCP 2025-11-25, basic/lifecycle). */
export const GREETING = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'gantry', version: packageJson.version },
};

/** Parameters of a modern request in Gantry's own name: nobody stands behind it who could be asked. */
const OWN_META = {
  [VERSION_KEY]: MODERN_VERSIONS[0],
  [CLIENT_INFO_KEY]: GREETING.clientInfo,
  [CAPABILITIES_KEY]: {},
};

/**
 * Parameters as a process that was greeted in an era needs them. A modern request describes itself; where nobody has
 * described it, it is Gantry's own.
 */
export function selfDescribed(
  handshake: Handshake | null,
  params: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  if (handshake?.era !== 'modern') return params;
  const meta = isObject(params?._meta) ? params._meta : {};
  return VERSION_KEY in meta ? params : { ...params, _meta: { ...OWN_META, ...meta } };
}

/** Reads an initialize result without trusting it. */
export function handshakeOf(result: unknown): Handshake {
  const given = isObject(result) ? result : {};
  return {
    era: 'legacy',
    protocolVersion: typeof given.protocolVersion === 'string' ? given.protocolVersion : 'unknown',
    capabilities: isObject(given.capabilities) ? given.capabilities : {},
    serverInfo: isObject(given.serverInfo) ? given.serverInfo : {},
    instructions: typeof given.instructions === 'string' ? given.instructions : null,
  };
}

/** The same of a `server/discover` result: the server's name stands in `_meta` there. */
export function discoveryOf(result: unknown): Handshake {
  const given = isObject(result) ? result : {};
  const meta = isObject(given._meta) ? given._meta : {};
  const versions = Array.isArray(given.supportedVersions) ? given.supportedVersions : [];
  const read = handshakeOf({
    ...given,
    protocolVersion: versions[0],
    serverInfo: meta[SERVER_INFO_KEY],
  });
  return { ...read, era: 'modern' };
}

/** What a fresh process is asked first in the modern way. */
export const DISCOVER_PARAMS = { _meta: OWN_META };
