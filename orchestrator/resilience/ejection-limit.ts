/** A pool at the moment one of its replicas would be taken out. */
export type PoolNow = {
  /** Replicas that serve or will soon; not those that somebody stopped or paused, or that wait out a crash loop. */
  readonly expected: number;
  /** Of these, how many are out already. */
  readonly out: number;
};

/**
 * Whether one more replica may be taken out for its counts or its silence: at most half of the pool at a time, yet
 * one always (Envoy's rule for its share of ten percent; half is where Envoy and Finagle begin to panic). When
 * everything looks broken at once, the cause is rarely in every replica.
 */
export function mayEject({ expected, out }: PoolNow): boolean {
  return out + 1 <= Math.max(1, Math.floor(expected / 2));
}
