import type { JsonRpcOutcome } from '../kernel/index.ts';
import type { Asleep } from './pools.ts';

/**
 * Answers for a server that sleeps what is known without it: its tools, as it listed them last, and a ping, which asks
 * for no more than a sign of life. Null for everything else, where nobody sleeps, and while its tools are not known: then it has to wake.
 */
export function answerAsleep(
  { method, params }: { readonly method: string; readonly params: Record<string, unknown> | undefined },
  asleep: Asleep | null,
): JsonRpcOutcome | null {
  // A modern answer says more than a list.
  if (asleep === null || asleep.handshake?.era !== 'legacy') return null;
  const { tools } = asleep;
  if (method === 'ping') return outcomeOf({});
  // All are given at once, so there is no second page.
  if (method !== 'tools/list' || tools.length === 0 || params?.cursor !== undefined) return null;
  return outcomeOf({ tools });
}

function outcomeOf(result: unknown): JsonRpcOutcome {
  return { ok: true, result, raw: JSON.stringify(result) };
}
