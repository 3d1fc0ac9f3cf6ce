import { GantryError, isJsonRpcId, isObject, type JsonRpcId, scanJson } from '../kernel/index.ts';

/** One message of a client, checked. */
export type ClientMessage =
  | { readonly kind: 'request'; readonly id: JsonRpcId; readonly method: string; readonly params: Params }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Params }
  | {
      readonly kind: 'response';
      readonly id: JsonRpcId;
      readonly answer: { result: unknown } | { error: unknown };
    };

export const NO_BATCH = 'A batch (an array) is not accepted here: send one message per request.';

type Params = Record<string, unknown> | undefined;

const KNOWN_KEYS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/**
 * Reads a request body strictly. Duplicate and unknown top-level keys are refused, because two parsers that
 * disagree about them are a way around every policy; ids are strings or safe integers, because others do not
 * survive re-encoding.
 * @param text the message as it came; null where it is a whole body, in which duplicates were refused when it was parsed
 * @param value the same, parsed
 * @throws GantryError invalid_request
 */
export function readClientMessage(text: string | null, value: unknown): ClientMessage {
  if (Array.isArray(value)) throw refused(NO_BATCH);
  if (!isObject(value)) throw refused('The body must be one JSON-RPC object.');
  const id = idOf(value);
  const scan = text === null ? null : scanJson(text);
  if (scan?.ok === false) throw refused(`The body cannot be used: ${scan.why}.`);
  for (const key in value) {
    if (!KNOWN_KEYS.has(key))
      throw refused(`Unknown key ${JSON.stringify(key)} beside jsonrpc, id, method and params.`);
  }
  if (value.jsonrpc !== '2.0') throw refused('"jsonrpc" must be "2.0".');
  if ('id' in value && id === null) throw refused('"id" must be a string or an integer up to 2^53.');
  return 'method' in value ? readCall(value, id) : readAnswer(value, id);
}

function readCall(value: Record<string, unknown>, id: JsonRpcId | null): ClientMessage {
  const { method, params } = value;
  if (typeof method !== 'string' || method === '') throw refused('"method" must be a non-empty string.');
  if ('result' in value || 'error' in value)
    throw refused('A message with "method" has no "result" or "error".');
  if (params !== undefined && !isObject(params)) throw refused('"params" must be an object.');
  return id === null ? { kind: 'notification', method, params } : { kind: 'request', id, method, params };
}

function readAnswer(value: Record<string, unknown>, id: JsonRpcId | null): ClientMessage {
  const hasResult = 'result' in value;
  const hasError = 'error' in value;
  if (id === null || hasResult === hasError) {
    throw refused('A message needs a "method", or an "id" with either "result" or "error".');
  }
  return { kind: 'response', id, answer: hasResult ? { result: value.result } : { error: value.error } };
}

/** The id of a body that may be anything else but a sound request, so that even its error can carry it. */
export function idOf(value: unknown): JsonRpcId | null {
  return isObject(value) && isJsonRpcId(value.id) ? value.id : null;
}

function refused(message: string): GantryError {
  return new GantryError('invalid_request', message);
}
