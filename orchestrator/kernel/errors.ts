/**
 * Every failure that can reach a user. HTTP status and JSON-RPC numbers are not decided here but in
 * `http/error-map.ts`, the only place that knows them.
 */
export type ErrorCode =
  /** The request itself is malformed. */
  | 'invalid_request'
  | 'parse_error'
  /** The revision without sessions (MCP 2026-07-28) checks every request by itself. */
  | 'invalid_params'
  | 'header_mismatch'
  | 'unsupported_version'
  | 'method_not_found'
  /** A `requestState` that is forged, expired or somebody else's: `detail.reason`. */
  | 'request_state_refused'
  | 'unsupported_media_type'
  | 'not_acceptable'
  | 'method_not_allowed'
  /** Authentication and origin checks. */
  | 'unauthorized'
  | 'origin_forbidden'
  | 'host_forbidden'
  | 'scope_missing'
  /** A server elsewhere has an address that `registry.allowedAddresses` does not list, or that is never reached. */
  | 'address_not_allowed'
  /** Nothing of that name. */
  | 'server_not_found'
  | 'container_not_found'
  | 'tool_not_found'
  | 'session_not_found'
  | 'registration_not_found'
  | 'task_not_found'
  | 'agent_not_found'
  | 'route_not_found'
  /** The request contradicts the present state. */
  | 'server_exists'
  | 'managed_by_file'
  | 'invalid_state'
  | 'body_too_large'
  /** A server definition has problems: `detail.problems[{path,line,message}]`. */
  | 'invalid_config'
  /** Of the routes of the mesh API that answered so before Gantry: fields are missing or not as described. */
  | 'unprocessable'
  | 'queue_full'
  /** The MCP server answered with a JSON-RPC error. */
  | 'mcp_error'
  /** The process behind the call died, or could not be started. */
  | 'replica_failed'
  | 'engine_unavailable'
  | 'registry_unavailable'
  | 'no_replica'
  | 'call_timeout'
  /** The caller withdrew the call; nobody waits for its answer any more. */
  | 'cancelled'
  | 'internal';

/** The one base class. `detail` is shown to users: never put secrets or Docker internals into it. */
export class GantryError extends Error {
  readonly code: ErrorCode;
  readonly detail: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GantryError';
    this.code = code;
    this.detail = options.detail ?? {};
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whatever is asked of a server whose entry says that it is not to run. */
export function serverDisabled(server: string, why: string): GantryError {
  const message = `Server ${server} is disabled: ${why}. Take \`disabled\` out of its entry to run it.`;
  return new GantryError('invalid_state', message, { detail: { server, disabled: why, mayHaveRun: false } });
}
