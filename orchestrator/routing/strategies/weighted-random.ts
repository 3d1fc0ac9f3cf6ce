import type { Choice, Strategy } from './strategy.ts';

/** By chance, in proportion to the weights. */
export class WeightedRandom<T extends Choice> implements Strategy<T> {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick(choices: readonly T[]): T | null {
    let left = this.#random() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const choice of choices) {
      left -= choice.weight;
      if (left < 0) return choice;
    }
    return choices.at(-1) ?? null; // what rounding leaves over
  }
}
