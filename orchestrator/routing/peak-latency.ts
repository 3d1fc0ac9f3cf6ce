/** After so long without a new peak two thirds of it are forgotten, milliseconds. Finagle's default decay. */
const DECAY_MS = 10_000;

/**
 * What a call takes, as a mean that follows peaks at once and comes down slowly: a replica that has become slow is
 * noticed at its first slow answer, and one that has recovered is tried again although nobody measures it meanwhile.
 * After Finagle's peak EWMA.
 */
export class PeakLatency {
  #meanMs: number | null = null;
  #at = 0;

  /** One answer took so long. */
  observe(tookMs: number, now: number): void {
    const before = this.#meanMs;
    const isPeak = before === null || tookMs >= before;
    this.#meanMs = isPeak ? tookMs : tookMs + (before - tookMs) * this.#kept(now);
    this.#at = now;
  }

  /** The mean as it stands now, in milliseconds; null before the first answer. */
  at(now: number): number | null {
    return this.#meanMs === null ? null : this.#meanMs * this.#kept(now);
  }

  #kept(now: number): number {
    return Math.exp(-Math.max(0, now - this.#at) / DECAY_MS);
  }
}
