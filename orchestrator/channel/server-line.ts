import { isUtf8 } from 'node:buffer';
import { isJsonRpcId, isObject, type JsonRpcId, type JsonRpcOutcome, scanJson } from '../kernel/index.ts';

/** What one line of a server's stdout means. */
export type ServerLine =
  | { readonly kind: 'response'; readonly id: JsonRpcId; readonly outcome: JsonRpcOutcome }
  | ServerMessage
  | { readonly kind: 'unusable'; readonly why: string };

/** A message that a server sends of its own accord. */
export type ServerMessage =
  | { readonly kind: 'request'; readonly id: JsonRpcId; readonly method: string; readonly params: Params }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Params };

export type Params = Record<string, unknown> | undefined;

/**
 * Reads one line strictly. What is not one JSON-RPC 2.0 object is named and left to the caller to drop:
 * servers print banners, half lines and worse (ruv-swarm prints 24 lines before its first answer), and a
 * guess would reach the wrong client.
 */
export function readServerLine(line: Buffer): ServerLine {
  if (!isUtf8(line)) return unusable('not_utf8');
  const kind = kindOf(line);
  if (kind !== null) return unusable(kind);
  const text = line.toString('utf8');
  const scan = scanJson(text);
  if (!scan.ok) return unusable(scan.why);
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return unusable('not_json');
  }
  if (!isObject(message)) return unusable('not_an_object');
  if (message.jsonrpc !== '2.0') return unusable('not_json_rpc');
  return typeof message.method === 'string'
    ? readMessage(message, message.method)
    : readResponse(message, scan.members);
}

/**
 * Tells by its bytes what cannot be a message, or null. A failed `JSON.parse` costs some 20 µs, most of it for an
 * error nobody reads: a server that prints without end would hold the event loop that all servers share.
 */
function kindOf(line: Buffer): string | null {
  let start = 0;
  while (start < line.length && WHITE_SPACE.has(line[start] ?? 0)) start++;
  const first = line[start];
  if (first === undefined) return 'blank';
  if (first !== OPEN_BRACE) return OTHER_JSON.has(first) ? 'not_an_object' : 'not_json';
  return line.includes(MARK) ? null : 'not_json_rpc';
}

const OPEN_BRACE = 0x7b;
/** JSON's own white space: space, tab, carriage return (a newline ends the line). */
const WHITE_SPACE = new Set([0x20, 0x09, 0x0d]);
/** What an array, a string or a number begins with. */
const OTHER_JSON = new Set(Buffer.from('["-0123456789'));
/** The key that every message has; no server escapes it. */
const MARK = Buffer.from('"jsonrpc"');

function readMessage(message: Record<string, unknown>, method: string): ServerLine {
  const params = message.params;
  if (params !== undefined && !isObject(params)) return unusable('bad_params');
  if (!('id' in message)) return { kind: 'notification', method, params };
  if (!isJsonRpcId(message.id)) return unusable('bad_id');
  return { kind: 'request', id: message.id, method, params };
}

function readResponse(message: Record<string, unknown>, members: ReadonlyMap<string, string>): ServerLine {
  const { id, error } = message;
  if (!isJsonRpcId(id)) return unusable('bad_id');
  const raw = members.get('result');
  if (error !== undefined) {
    if (raw !== undefined) return unusable('result_and_error');
    if (!isObject(error) || typeof error.code !== 'number' || typeof error.message !== 'string') {
      return unusable('bad_error');
    }
    const data = error.data === undefined ? {} : { data: error.data };
    return {
      kind: 'response',
      id,
      outcome: { ok: false, error: { code: error.code, message: error.message, ...data } },
    };
  }
  if (raw === undefined) return unusable('no_result');
  return { kind: 'response', id, outcome: { ok: true, result: message.result, raw } };
}

function unusable(why: string): ServerLine {
  return { kind: 'unusable', why };
}

/** Changes are news for the holder of the replica, not part of whatever call happens to be open. */
const CHANGE = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

export function isChange({ kind, method }: ServerMessage): boolean {
  return kind === 'notification' && CHANGE.test(method);
}

/** The id of the `subscriptions/listen` request that a message answers (MCP 2026-07-28): an id of the link's own. */
export function subscriptionOf({ kind, params }: ServerMessage): unknown {
  const meta = kind === 'notification' ? params?._meta : undefined;
  if (typeof meta !== 'object' || meta === null) return undefined;
  return (meta as Record<string, unknown>)['io.modelcontextprotocol/subscriptionId'];
}
