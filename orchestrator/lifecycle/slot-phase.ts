import type { Reason } from '../kernel/index.ts';
import { type NextTry, outlivesUs } from './restart-plan.ts';
import type { Running } from './running.ts';

/**
 * What one place of a pool is doing. `reason` on the way up is why the predecessor ended.
 *
 *   starting → up → (ended) → waiting → starting
 *                 ↘ ejected (breaker open: drains, then ends) ↗
 *       └──────┴──→ held (stopped on request) → starting
 *   any → closing → closed
 */
export type SlotPhase =
  | { readonly name: 'starting'; readonly reason: Reason | null }
  | { readonly name: 'up'; readonly running: Running }
  | { readonly name: 'held'; readonly running: Running }
  | { readonly name: 'ejected'; readonly running: Running; readonly reason: Reason }
  | { readonly name: 'stopping' }
  | {
      readonly name: 'waiting';
      readonly reason: Reason;
      /** Milliseconds since the epoch; null while the engine is away, since nobody knows. */
      readonly nextTryAt: number | null;
      /** Quick deaths are retried and only mentioned; this is one that a user should look at. */
      readonly failed: boolean;
    }
  | { readonly name: 'closed' };

/** The try that a place waits for because its processes died; null where it waits for nothing like it. */
export function lastingWait(phase: SlotPhase): NextTry | null {
  if (phase.name !== 'waiting' || phase.nextTryAt === null || !outlivesUs(phase.reason)) return null;
  return { at: phase.nextTryAt, reason: phase.reason, failed: phase.failed };
}
