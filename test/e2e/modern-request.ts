import type { Json } from './harness.ts';
import { postMcp } from './mcp-session.ts';
import type { RawAnswer } from './raw-http.ts';

const META = 'io.modelcontextprotocol/';

/** One request as a client of MCP 2026-07-28 sends it, with the headers that agree with it. */
export function modernRequest(server: string, method: string, params: Json = {}): Promise<RawAnswer> {
  const _meta = {
    [`${META}protocolVersion`]: '2026-07-28',
    [`${META}clientInfo`]: { name: 'gantry-tests', version: '1.0.0' },
    [`${META}clientCapabilities`]: {},
  };
  const named = params.name ?? params.uri;
  return postMcp(
    server,
    { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
    },
  );
}
