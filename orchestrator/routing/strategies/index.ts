import type { BalanceStrategy } from '../../kernel/index.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { LeastConnections } from './least-connections.ts';
import { PeakEwma } from './peak-ewma.ts';
import { SmoothRoundRobin } from './smooth-round-robin.ts';
import type { Choice, Strategy } from './strategy.ts';
import { WeightedRandom } from './weighted-random.ts';

export type { Choice, PickContext, Strategy } from './strategy.ts';

/** A strategy by its name in the configuration. What it remembers begins anew. */
export function strategyOf<T extends Choice>(name: BalanceStrategy, random: () => number): Strategy<T> {
  switch (name) {
    case 'least_connections':
      return new LeastConnections();
    case 'peak_ewma':
      return new PeakEwma(random);
    case 'round_robin':
    case 'weighted': // the difference is in the weights that choices come with
      return new SmoothRoundRobin();
    case 'random':
      return new WeightedRandom(random);
    case 'consistent_hash':
      return new ConsistentHash();
  }
}
