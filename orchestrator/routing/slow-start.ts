/** Share at the beginning: Envoy's `min_weight_percent`. */
const LEAST_SHARE = 0.1;

export type SlowStart = {
  /** When the replica was first seen ready, milliseconds. */
  readonly since: number;
  /** The same of the one in its pool that has been ready longest. */
  readonly oldestSince: number;
  readonly now: number;
  readonly slowStartMs: number;
};

/**
 * The share of a replica that has just joined a running pool: from a tenth to the whole, linear in time (Envoy, HAProxy
 * `slowstart`). Replicas that come up together share at once: there is nobody else to do the work (HAProxy has none at
 * its own start either).
 */
export function slowStartShare({ since, oldestSince, now, slowStartMs }: SlowStart): number {
  if (slowStartMs <= 0 || since - oldestSince < slowStartMs) return 1;
  return Math.min(1, Math.max(LEAST_SHARE, (now - since) / slowStartMs));
}
