import type { Choice, Strategy } from './strategy.ts';

/** A replica that has not answered yet gets one call and no second one before that (Finagle's penalty, in effect infinite). */
const UNKNOWN_PENALTY = 1e12;

/**
 * Of two drawn at random the one whose next call would take less: its latency, which follows peaks at once and forgets
 * them slowly, times the calls it would have then. After Finagle's peak EWMA; two choices are enough to avoid the worst
 * (Mitzenmacher), and unlike the best of all they do not send everybody to the same one.
 */
export class PeakEwma<T extends Choice> implements Strategy<T> {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick(choices: readonly T[]): T | null {
    const first = Math.floor(this.#random() * choices.length);
    // Of the others, so that never the same one is drawn twice.
    const second = (first + 1 + Math.floor(this.#random() * (choices.length - 1))) % choices.length;
    const [a, b] = [choices[first], choices[second]];
    if (a === undefined || b === undefined) return a ?? null;
    return costOf(b) < costOf(a) ? b : a;
  }
}

function costOf({ latencyMs, callsInFlight, weight }: Choice): number {
  if (latencyMs === null) return callsInFlight === 0 ? 0 : UNKNOWN_PENALTY + callsInFlight;
  return (latencyMs * (callsInFlight + 1)) / weight;
}
