import type { Reason } from '../kernel/index.ts';

/**
 * The life of a replica. One owner writes it (`Replica`), everybody else reads.
 *
 *   pending → starting → ready ⇄ paused
 *                │          │
 *                │          └→ draining → stopped
 *                └→ failed (with a reason)   any state may end in failed or stopped
 *
 * Busy is not a state: calls in flight belong to the link.
 */
export type ReplicaState =
  | { readonly name: 'pending' }
  | { readonly name: 'starting' }
  | { readonly name: 'ready' }
  | { readonly name: 'paused' }
  | { readonly name: 'draining' }
  | { readonly name: 'stopped' }
  | { readonly name: 'failed'; readonly reason: Reason };

export type ReplicaStateName = ReplicaState['name'];

const NEXT: Record<ReplicaStateName, readonly ReplicaStateName[]> = {
  pending: ['starting', 'failed', 'stopped'],
  starting: ['ready', 'draining', 'failed', 'stopped'],
  ready: ['paused', 'draining', 'failed', 'stopped'],
  paused: ['ready', 'draining', 'failed', 'stopped'],
  draining: ['failed', 'stopped'],
  stopped: [],
  failed: [],
};

export function mayBecome(from: ReplicaStateName, to: ReplicaStateName): boolean {
  return NEXT[from].includes(to);
}
