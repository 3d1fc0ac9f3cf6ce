import type { Choice, Strategy } from './strategy.ts';

/**
 * The one with the fewest calls in flight for its weight; among equals the one whose turn is longest ago, so that an
 * idle pool takes turns instead of always using its first replica. All are looked at, not two of them (Envoy, gRPC
 * A48): pools have tens of replicas, and with long calls one wrong choice is felt. HAProxy advises it for long sessions.
 */
export class LeastConnections<T extends Choice> implements Strategy<T> {
  readonly #lastTurn = new WeakMap<T, number>();
  #turn = 0;

  pick(choices: readonly T[]): T | null {
    let best: T | null = null;
    for (const choice of choices) {
      if (best === null || this.#isBetter(choice, best)) best = choice;
    }
    if (best !== null) this.#lastTurn.set(best, ++this.#turn);
    return best;
  }

  #isBetter(a: T, b: T): boolean {
    const [loadOfA, loadOfB] = [a.callsInFlight / a.weight, b.callsInFlight / b.weight];
    if (loadOfA !== loadOfB) return loadOfA < loadOfB;
    return (this.#lastTurn.get(a) ?? 0) < (this.#lastTurn.get(b) ?? 0);
  }
}
