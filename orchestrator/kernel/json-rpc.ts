/** JSON-RPC 2.0 as MCP uses it: ids are strings or integers, never null in a request. */
export type JsonRpcId = string | number;

export type JsonRpcError = { readonly code: number; readonly message: string; readonly data?: unknown };

/** For a request of a server that nobody stands behind. */
export const NOBODY_TO_ASK: JsonRpcError = {
  code: -32601,
  message: 'No client is attached that could answer this request.',
};

/**
 * What came back for a request. `raw` is the exact JSON text of `result`, passed on unchanged (docs/architecture.md);
 * `bytes` is the same in UTF-8 where it came from a server as that. Never to be spread: `raw` and `result` may be made
 * when they are asked for.
 */
export type JsonRpcOutcome =
  | { readonly ok: true; readonly result: unknown; readonly raw: string; readonly bytes?: Buffer }
  | { readonly ok: false; readonly error: JsonRpcError };

/** Ids that survive re-encoding: strings and safe integers. 0 is one of them. */
export function isJsonRpcId(value: unknown): value is JsonRpcId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));
}

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
