import { isAscii, isUtf8 } from 'node:buffer';
import {
  isJsonRpcId,
  isObject,
  type JsonRpcId,
  type JsonRpcOutcome,
  type Span,
  scanJson,
} from '../kernel/index.ts';
import { ResultBytes } from './result-bytes.ts';

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
 *
 * It is read as Latin-1, a byte a character: that is a copy and no decoding, and positions in the text are positions in
 * the bytes, so a result is passed on as the bytes it came as. The grammar is the same either way, since what is beyond
 * ASCII may only stand inside of strings, and that it is UTF-8 has been checked. What such strings mean is read from the
 * UTF-8 text, where anybody wants to know.
 */
export function readServerLine(line: Buffer): ServerLine {
  if (!isUtf8(line)) return unusable('not_utf8');
  const kind = kindOf(line);
  if (kind !== null) return unusable(kind);
  const text = line.toString('latin1');
  const scan = scanJson(text);
  if (!scan.ok) return unusable(scan.why);
  const message = parsed(text);
  if (message === undefined) return unusable('not_json');
  if (!isObject(message)) return unusable('not_an_object');
  if (message.jsonrpc !== '2.0') return unusable('not_json_rpc');
  const result = scan.spans.get('result');
  const isResult = result !== undefined && typeof message.id === 'number' && !('method' in message);
  if (isAscii(line) || (isResult && !hasForeignKey(scan.spans))) {
    return typeof message.method === 'string'
      ? readMessage(message, message.method)
      : readResponse(message, result, line);
  }
  return readUtf8(line, result);
}

/** The same once more where something beyond ASCII may matter: in a message, in an error, in a key. */
function readUtf8(line: Buffer, result: Span | undefined): ServerLine {
  const text = line.toString('utf8');
  const scan = scanJson(text);
  if (!scan.ok) return unusable(scan.why); // a key written in two ways that only now are the same
  const message = JSON.parse(text) as Record<string, unknown>;
  return typeof message.method === 'string'
    ? readMessage(message, message.method)
    : readResponse(message, result, line);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no value that JSON has
  }
}

function hasForeignKey(spans: ReadonlyMap<string, Span>): boolean {
  for (const key of spans.keys()) if (BEYOND_ASCII.test(key)) return true;
  return false;
}

const BEYOND_ASCII = /[\u0080-\uffff]/;

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

function readResponse(message: Record<string, unknown>, result: Span | undefined, line: Buffer): ServerLine {
  const { id, error } = message;
  if (!isJsonRpcId(id)) return unusable('bad_id');
  if (error !== undefined) {
    if (result !== undefined) return unusable('result_and_error');
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
  if (result === undefined) return unusable('no_result');
  return { kind: 'response', id, outcome: new ResultBytes(line.subarray(result.start, result.end)) };
}

function unusable(why: string): ServerLine {
  return { kind: 'unusable', why };
}
