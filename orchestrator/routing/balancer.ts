/** What a balancer looks at. */
export type Candidate = { readonly callsInFlight: number };

/**
 * Picks the candidate with the fewest calls in flight; among equals the one whose turn is longest ago, so
 * that an idle pool takes turns instead of always using its first replica.
 */
export class LeastInFlight<T extends Candidate> {
  readonly #lastTurn = new WeakMap<T, number>();
  #turn = 0;

  pick(candidates: readonly T[]): T | null {
    let best: T | null = null;
    for (const candidate of candidates) {
      if (best === null || this.#isBetter(candidate, best)) best = candidate;
    }
    if (best !== null) this.#lastTurn.set(best, ++this.#turn);
    return best;
  }

  #isBetter(a: T, b: T): boolean {
    if (a.callsInFlight !== b.callsInFlight) return a.callsInFlight < b.callsInFlight;
    return (this.#lastTurn.get(a) ?? 0) < (this.#lastTurn.get(b) ?? 0);
  }
}
