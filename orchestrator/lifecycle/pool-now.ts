import type { PoolNow } from '../resilience/index.ts';
import type { Slot } from './slot.ts';

/** The pool as it is when one of its places would be taken out. */
export function poolWithout(id: string, slots: readonly Slot[]): PoolNow {
  const others = slots.filter((other) => other.id !== id && isExpected(other));
  return { expected: others.length + 1, out: others.filter((other) => !serves(other)).length };
}

/** Not what somebody stopped or paused, nor what waits for minutes until it is tried again. */
function isExpected({ phase }: Slot): boolean {
  switch (phase.name) {
    case 'up':
      return phase.running.replica.state.name !== 'paused';
    case 'waiting':
      return !phase.failed;
    case 'starting':
    case 'ejected':
      return true;
    case 'held':
    case 'stopping':
    case 'closed':
      return false;
  }
}

function serves({ phase }: Slot): boolean {
  return phase.name === 'up' && phase.running.replica.available;
}
