import packageJson from '../../package.json' with { type: 'json' };
import { isObject } from '../kernel/index.ts';

/** What the server said of itself when the handshake was done. */
export type Handshake = {
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

/** Reads an initialize result without trusting it. */
export function handshakeOf(result: unknown): Handshake {
  const given = isObject(result) ? result : {};
  return {
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
  return handshakeOf({
    ...given,
    protocolVersion: versions[0],
    serverInfo: meta['io.modelcontextprotocol/serverInfo'],
  });
}
