import type { Json } from './harness.ts';
import { lastMessage, postMcp, type RpcMessage } from './mcp-session.ts';
import type { RawAnswer } from './raw-http.ts';

const PREFIX = 'io.modelcontextprotocol/';
let lastId = 0;

/** One request of a client of MCP 2026-07-28, and what it answers. */
export async function modernCall(
  server: string,
  method: string,
  params: Json = {},
  capabilities: Json = {},
): Promise<RpcMessage> {
  return lastMessage(await modernRequest(server, method, params, capabilities));
}

/** The same, with the whole HTTP answer. */
export function modernRequest(
  server: string,
  method: string,
  params: Json = {},
  capabilities: Json = {},
): Promise<RawAnswer> {
  return postMcp(server, modernBody(method, params, capabilities), modernHeaders(method, params));
}

/** A request that describes its client. */
export function modernBody(method: string, params: Json = {}, capabilities: Json = {}) {
  const _meta = {
    [`${PREFIX}protocolVersion`]: '2026-07-28',
    [`${PREFIX}clientInfo`]: { name: 'gantry-tests', version: '1.0.0' },
    [`${PREFIX}clientCapabilities`]: capabilities,
  };
  return { jsonrpc: '2.0', id: ++lastId, method, params: { ...params, _meta } };
}

/** The headers that say the same. */
export function modernHeaders(method: string, params: Json = {}): Record<string, string> {
  const name = params.name ?? params.uri;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  };
}
