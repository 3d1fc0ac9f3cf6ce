import type { JsonRpcId, JsonRpcOutcome } from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';

/** The result's text is passed on as the server wrote it. */
export function encodeOutcome(id: JsonRpcId, outcome: JsonRpcOutcome): string {
  if (outcome.ok) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${outcome.raw}}`;
  return JSON.stringify({ jsonrpc: '2.0', id, error: outcome.error });
}

/** A message of the server, for its client. */
export function encodeMessage(message: ServerMessage): string {
  const { method, params } = message;
  const id = message.kind === 'request' ? { id: message.id } : {};
  return JSON.stringify({ jsonrpc: '2.0', ...id, method, ...(params === undefined ? {} : { params }) });
}
