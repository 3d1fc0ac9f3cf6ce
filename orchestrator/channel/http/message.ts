import { isJsonRpcId, isObject, type JsonRpcId, NAME_PARAM, VERSION_KEY } from '../../kernel/index.ts';
import { readServerLine } from '../server-line.ts';

/** One of our own messages, as far as the transport looks into it. */
export type OwnMessage = {
  readonly id?: JsonRpcId;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
};

export type OwnRequest = OwnMessage & { readonly id: JsonRpcId; readonly method: string };

/** The session at a server elsewhere, as the answer to `initialize` gave it. */
export type RemoteSession = { readonly id: string | null; readonly protocolVersion: string };

const BOTH_KINDS = 'application/json, text/event-stream';

export function isRequest(message: OwnMessage): message is OwnRequest {
  return message.id !== undefined && message.method !== undefined;
}

/** The revision that a request without a session names; null for every other message. */
export function modernVersionOf({ params }: OwnMessage): string | null {
  const meta = isObject(params?._meta) ? params._meta : {};
  const version = meta[VERSION_KEY];
  return typeof version === 'string' ? version : null;
}

/** What a message needs beside its body (MCP, Streamable HTTP of all revisions). */
export function headersOf(message: OwnMessage, session: RemoteSession | null): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: BOTH_KINDS };
  const modern = modernVersionOf(message);
  if (modern === null) return { ...headers, ...sessionHeaders(session) };
  const { method = '', params } = message;
  const name = params?.[NAME_PARAM[method] ?? ''];
  return {
    ...headers,
    'mcp-protocol-version': modern,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
  };
}

export function sessionHeaders(session: RemoteSession | null): Record<string, string> {
  if (session === null) return {};
  return {
    'mcp-protocol-version': session.protocolVersion,
    ...(session.id === null ? {} : { 'mcp-session-id': session.id }),
  };
}

/** Text that is not plain ASCII, or is padded, travels encoded (MCP 2026-07-28, transports). */
function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

/** How one text from the server relates to a request of ours. */
export type Heard = {
  /** To be read as a line: JSON has no newline inside of strings, so none of them carries a meaning. */
  readonly line: Buffer;
  readonly isAnswer: boolean;
  /** Null where it is no result. */
  readonly result: Readonly<Record<string, unknown>> | null;
};

/**
 * What is unusable is no answer; whoever reads the line names and drops it.
 * @param alone whether nothing but the answer can stand here: then an error without an id is this request's, since
 *   HTTP itself says what it answers
 */
export function hear(text: string, request: OwnRequest, alone: boolean): Heard {
  const line = Buffer.from(text.replace(/[\r\n]+/g, ' '));
  const read = readServerLine(line);
  if (read.kind === 'response' && read.id === request.id) {
    const result = read.outcome.ok && isObject(read.outcome.result) ? read.outcome.result : null;
    return { line, isAnswer: true, result };
  }
  const error = alone && read.kind === 'unusable' ? errorWithoutId(text) : null;
  if (error === null) return { line, isAnswer: false, result: null };
  const answer = { jsonrpc: '2.0', id: request.id, error };
  return { line: Buffer.from(JSON.stringify(answer)), isAnswer: true, result: null };
}

function errorWithoutId(text: string): object | null {
  try {
    const message: unknown = JSON.parse(text);
    if (!isObject(message) || message.jsonrpc !== '2.0' || isJsonRpcId(message.id)) return null;
    const { error } = message;
    const isSound = isObject(error) && typeof error.code === 'number' && typeof error.message === 'string';
    return isSound ? error : null;
  } catch {
    return null; // no JSON at all
  }
}
