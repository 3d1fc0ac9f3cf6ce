import type { Choice, PickContext, Strategy } from './strategy.ts';

/**
 * The same replica for the same principal, as long as it is there and has room; then the principal's next one. When
 * replicas come and go, only the principals of those move (rendezvous hashing: the highest score of principal and place
 * wins). Places keep their names over restarts, so principals come back to the place they had. Weights do not count: to
 * start slowly would move principals twice.
 */
export class ConsistentHash<T extends Choice> implements Strategy<T> {
  pick(choices: readonly T[], { principal }: PickContext): T | null {
    let best: T | null = null;
    let bestScore = -1;
    for (const choice of choices) {
      const score = hash(`${choice.id}\n${principal}`);
      if (score > bestScore) [best, bestScore] = [choice, score];
    }
    return best;
  }
}

/** FNV-1a over UTF-16 units, 32 bits, with MurmurHash3's finalizer: similar names must not get similar numbers. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
