import type { ClientMessage } from '../../../orchestrator/session/index.ts';
import { type HeaderOf, nameOf } from '../../../orchestrator/session/modern/request.ts';

export type ModernMessage = Extract<ClientMessage, { kind: 'request' }>;

/** A request as a client of MCP 2026-07-28 sends it. */
export function modernRequest(
  id: string | number,
  method: string,
  params: Record<string, unknown> = {},
  extra: {
    version?: string;
    capabilities?: Record<string, unknown>;
    logLevel?: string;
    meta?: Record<string, unknown>;
  } = {},
): ModernMessage {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': extra.version ?? '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': extra.capabilities ?? {},
    ...(extra.logLevel === undefined ? {} : { 'io.modelcontextprotocol/logLevel': extra.logLevel }),
    ...extra.meta,
  };
  return { kind: 'request', id, method, params: { ...params, _meta } };
}

/** The headers that agree with a request. */
export function headersFor(message: ModernMessage): HeaderOf {
  const meta = message.params?._meta as Record<string, string>;
  const name = nameOf(message.method, message.params ?? {});
  const headers: Record<string, string | null> = {
    'MCP-Protocol-Version': meta['io.modelcontextprotocol/protocolVersion'] ?? null,
    'Mcp-Method': message.method,
    'Mcp-Name': name === null ? null : `=?base64?${Buffer.from(name).toString('base64')}?=`,
  };
  return (header) => headers[header] ?? null;
}
