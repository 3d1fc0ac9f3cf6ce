import type { Choice, Strategy } from './strategy.ts';

/**
 * In turns, by weight, and evenly mixed: weights 3 and 1 give a a b a, not a a a b (nginx, smooth weighted round robin).
 * With equal weights it is plain round robin. Over as many picks as the weights add up to each gets its exact share.
 */
export class SmoothRoundRobin<T extends Choice> implements Strategy<T> {
  /** How far each is behind its share. */
  readonly #credit = new WeakMap<T, number>();

  pick(choices: readonly T[]): T | null {
    let best: T | null = null;
    let bestCredit = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (const choice of choices) {
      total += choice.weight;
      const credit = (this.#credit.get(choice) ?? 0) + choice.weight;
      this.#credit.set(choice, credit);
      if (credit > bestCredit) [best, bestCredit] = [choice, credit];
    }
    if (best !== null) this.#credit.set(best, bestCredit - total);
    return best;
  }
}
