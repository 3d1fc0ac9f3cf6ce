/** JSON-RPC 2.0 as MCP uses it: ids are strings or integers, never null in a request. */
export type JsonRpcId = string | number;

export type JsonRpcError = { readonly code: number; readonly message: string; readonly data?: unknown };

export type JsonRpcRequest = {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly method: string;
  readonly params?: Record<string, unknown>;
};

export type JsonRpcNotification = {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Record<string, unknown>;
};

/** What came back for a request. `raw` is the exact JSON text of `result`, passed on unchanged (docs/architecture.md). */
export type JsonRpcOutcome =
  | { readonly ok: true; readonly result: unknown; readonly raw: string }
  | { readonly ok: false; readonly error: JsonRpcError };
