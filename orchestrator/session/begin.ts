import type { JsonRpcOutcome } from '../kernel/index.ts';
import type { Backend } from './backend.ts';

/** The handshake, or an end of the process that was started for it. */
export async function initialized(
  backend: Backend,
  params: Record<string, unknown>,
  gone: AbortSignal,
): Promise<JsonRpcOutcome> {
  try {
    const outcome = await backend.initialize(params, gone);
    if (!outcome.ok) backend.close('the handshake was refused');
    return outcome;
  } catch (error) {
    backend.close('the handshake failed');
    throw error;
  }
}

/** The revision that a handshake agreed on; empty when the server named none. */
export function versionOf(initialized: unknown): string {
  const version = (initialized as { protocolVersion?: unknown } | null)?.protocolVersion;
  return typeof version === 'string' ? version : '';
}
