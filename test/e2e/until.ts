import { setTimeout as delay } from 'node:timers/promises';

/** How often a state is looked at. Short against everything that is awaited here. */
const POLL_INTERVAL_MS = 150;

/**
 * Waits for a state that can be observed from outside and that nothing announces. `condition` gives back
 * undefined, null or false while it does not hold; what it throws counts as "not yet" and is shown at the end.
 * @throws Error with `what` and the last refusal after `timeoutMs`
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | null | false>,
  { timeoutMs = 60_000 }: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown = 'the condition did not hold';
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms. Last: ${String(last)}`);
    await delay(POLL_INTERVAL_MS);
  }
}
