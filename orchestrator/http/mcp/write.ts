import type { ServerResponse } from 'node:http';
import type { JsonRpcId, JsonRpcOutcome } from '../../kernel/index.ts';
import { encodeOutcome } from '../../session/index.ts';
import { JSON_TYPE } from '../request-state.ts';

/** From here on copying a result costs more than writing it in pieces. */
const LARGE_BYTES = 16 * 1024;

export type AnswerHead = { readonly status: number; readonly sessionId: string | null };

/** A complete JSON answer. Head and body leave in one write. */
export function writeText(response: ServerResponse, text: string, head: AnswerHead): void {
  writeHead(response, Buffer.byteLength(text), head);
  response.end(text);
}

/** The answer to a request. A large result leaves as the bytes that came from its server. */
export function writeOutcome(
  response: ServerResponse,
  id: JsonRpcId,
  outcome: JsonRpcOutcome,
  head: AnswerHead,
): void {
  if (!outcome.ok || outcome.bytes === undefined || outcome.bytes.length < LARGE_BYTES) {
    return writeText(response, encodeOutcome(id, outcome), head);
  }
  const before = Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`);
  writeHead(response, before.length + outcome.bytes.length + 1, head);
  response.cork();
  response.write(before);
  response.write(outcome.bytes);
  response.end('}');
  response.uncork();
}

function writeHead(response: ServerResponse, bytes: number, { status, sessionId }: AnswerHead): void {
  const headers = ['Content-Type', JSON_TYPE, 'Content-Length', String(bytes)];
  if (sessionId !== null) headers.push('Mcp-Session-Id', sessionId);
  response.writeHead(status, headers);
}
