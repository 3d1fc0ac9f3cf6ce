import { type JsonRpcOutcome, SUBSCRIPTION_KEY } from '../../kernel/index.ts';
import type { Replica, ServerMessage } from '../../routing/index.ts';

/** The longest delay that a timer can have; a subscription has no end of its own. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * One `subscriptions/listen` at a process that has it (MCP 2026-07-28). It lasts until `signal` aborts, the server
 * ends it, or the process is about to stop, for a stop waits for what is open.
 * @returns the server's answer; null where the process is about to stop.
 * @throws GantryError replica_failed, cancelled when `signal` aborts
 */
export async function listening(
  replica: Replica,
  params: Record<string, unknown>,
  { signal, onMessage }: { signal: AbortSignal; onMessage: (message: ServerMessage) => void },
): Promise<JsonRpcOutcome | null> {
  const stopping = new AbortController();
  const unwatch = replica.watch(({ name }) => {
    if (name === 'draining') stopping.abort();
  });
  try {
    return await replica.call('subscriptions/listen', params, {
      callTimeoutMs: NEVER_MS,
      maxCallMs: NEVER_MS,
      signal: AbortSignal.any([signal, stopping.signal]),
      onMessage,
    });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    return null;
  } finally {
    unwatch();
  }
}

/** The `_meta` of a message that a subscription brought. */
export function subscriptionMeta(
  params: Record<string, unknown> | undefined,
): Record<string, unknown> | null {
  const meta = params?._meta;
  return typeof meta === 'object' && meta !== null && SUBSCRIPTION_KEY in meta
    ? (meta as Record<string, unknown>)
    : null;
}
