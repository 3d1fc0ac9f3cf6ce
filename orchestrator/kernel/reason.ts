/** Why a replica or a server is not serving. Shown to users as `reason` (docs/api.md). */
export type ReasonCode =
  | 'never_ready'
  | 'exited'
  | 'oom'
  | 'signal'
  | 'killed'
  | 'crash_loop'
  | 'install_failed'
  | 'image_missing'
  | 'limits_not_applied'
  | 'line_too_long'
  | 'unresponsive'
  | 'breaker_open'
  | 'handshake_failed'
  /** A server elsewhere does not answer, or not as MCP has it. */
  | 'unreachable'
  /** `registry.allowedAddresses` does not list the address of a server elsewhere. */
  | 'address_not_allowed'
  | 'engine_unavailable'
  /** The memory budget of the engine is used up. */
  | 'no_memory'
  | 'stopped'
  /** A server that this one depends on is not ready yet. */
  | 'waiting_for'
  /** One that it depends on has failed, or is missing. */
  | 'dependency_failed'
  /** Its entry says that it is not to run; the message is the reason given there. */
  | 'disabled'
  | 'internal';

export type Reason = {
  readonly code: ReasonCode;
  /** One sentence: what happened and what the user can do. */
  readonly message: string;
  readonly exitCode: number | null;
  /** The last lines the process wrote to stderr, oldest first, control characters escaped. */
  readonly stderr: readonly string[];
};

export function reason(
  code: ReasonCode,
  message: string,
  extra: { exitCode?: number | null; stderr?: readonly string[] } = {},
): Reason {
  return { code, message, exitCode: extra.exitCode ?? null, stderr: extra.stderr ?? [] };
}
