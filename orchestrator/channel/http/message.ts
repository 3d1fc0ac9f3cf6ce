import { isJsonRpcId, isObject, type JsonRpcId, NAME_PARAM, VERSION_KEY } from '../../kernel/index.ts';

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
 * @param alone whether nothing but the answer can stand here: then an error without an id is this request's, since
 *   HTTP itself says what it answers
 * @returns null for what is no JSON object
 */
export function hear(text: string, request: OwnRequest, alone: boolean): Heard | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(message)) return null;
  const line = Buffer.from(text.replace(/[\r\n]+/g, ' '));
  const answers = 'result' in message || 'error' in message;
  if (answers && message.id === request.id) {
    return { line, isAnswer: true, result: isObject(message.result) ? message.result : null };
  }
  if (alone && isObject(message.error) && !isJsonRpcId(message.id)) {
    const error = { jsonrpc: '2.0', id: request.id, error: message.error };
    return { line: Buffer.from(JSON.stringify(error)), isAnswer: true, result: null };
  }
  return { line, isAnswer: false, result: null };
}
