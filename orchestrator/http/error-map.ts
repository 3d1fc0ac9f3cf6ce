import { type ErrorCode, GantryError, type JsonRpcId } from '../kernel/index.ts';

/** The one place that knows HTTP status codes and JSON-RPC numbers (docs/api.md, Errors). */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  parse_error: 400,
  invalid_params: 400,
  header_mismatch: 400,
  unsupported_version: 400,
  request_state_refused: 400,
  unauthorized: 401,
  origin_forbidden: 403,
  host_forbidden: 403,
  scope_missing: 403,
  address_not_allowed: 403,
  server_not_found: 404,
  container_not_found: 404,
  tool_not_found: 404,
  session_not_found: 404,
  registration_not_found: 404,
  task_not_found: 404,
  agent_not_found: 404,
  route_not_found: 404,
  method_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  server_exists: 409,
  managed_by_file: 409,
  invalid_state: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid_config: 422,
  unprocessable: 422,
  queue_full: 429,
  /** Nobody reads it: the caller has left. The number is nginx's, so that logs and metrics can tell. */
  cancelled: 499,
  internal: 500,
  mcp_error: 502,
  replica_failed: 502,
  engine_unavailable: 503,
  registry_unavailable: 503,
  no_replica: 503,
  call_timeout: 504,
};

/** JSON-RPC 2.0, section 5.1. Everything without a number of its own is -32000 with the literal in `data.code`. */
const RPC_NUMBER: Partial<Record<ErrorCode, number>> = {
  parse_error: -32700,
  invalid_request: -32600,
  method_not_found: -32601,
  invalid_params: -32602,
  request_state_refused: -32602,
  /** These two from MCP 2026-07-28. */
  header_mismatch: -32020,
  unsupported_version: -32022,
};
const RPC_SERVER_ERROR = -32000;

/**
 * The status that carries a JSON-RPC error of a server to a client of MCP 2026-07-28, where a few numbers have
 * one of their own: no such method, and the three that say what is wrong with the request's envelope.
 */
export function modernStatusOf(rpcNumber: number): number {
  if (rpcNumber === -32601) return 404;
  return rpcNumber <= -32020 && rpcNumber >= -32022 ? 400 : 200;
}

export type ErrorAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

/**
 * What a user may be told about anything that was thrown. Only a GantryError was written for users; the text of
 * any other error may name files, sockets or containers, so it is replaced.
 */
export function tellable(error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  return new GantryError('internal', 'Something failed inside Gantry; its log says what.', { cause: error });
}

/** `{"error":{"code","message","detail"}}` */
export function restError(thrown: unknown): ErrorAnswer {
  const error = tellable(thrown);
  return {
    status: STATUS[error.code],
    headers: headersOf(error),
    body: { error: { code: error.code, message: error.message, detail: error.detail } },
  };
}

/**
 * The same error on an MCP route. `id` is the request's, or null where none is known; `rpcNumber` replaces the
 * number for a protocol revision that has its own.
 */
export function mcpError(thrown: unknown, id: JsonRpcId | null = null, rpcNumber?: number): ErrorAnswer {
  const error = tellable(thrown);
  return {
    status: STATUS[error.code],
    headers: headersOf(error),
    body: {
      jsonrpc: '2.0',
      id,
      error: {
        code: rpcNumber ?? RPC_NUMBER[error.code] ?? RPC_SERVER_ERROR,
        message: error.message,
        // The literal comes last: a detail may carry a `code` of its own.
        data: { ...error.detail, code: error.code },
      },
    },
  };
}

function headersOf(error: GantryError): Record<string, string> {
  const { retryAfterMs, allow } = error.detail;
  const headers: Record<string, string> = {};
  // RFC 6750 wants at least one parameter after the scheme.
  if (error.code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer realm="gantry"';
  if (error.code === 'method_not_allowed' && Array.isArray(allow)) headers.Allow = allow.join(', ');
  if (typeof retryAfterMs === 'number' && (STATUS[error.code] === 503 || STATUS[error.code] === 429)) {
    // Whole seconds, and never 0: that would ask for a retry at once.
    headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  return headers;
}
