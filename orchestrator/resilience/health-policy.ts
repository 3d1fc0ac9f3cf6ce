import type { HealthPolicy } from '../kernel/index.ts';

/** What was heard from a process, and what it still owes. All in milliseconds since the epoch. */
export type Silence = {
  /** The last message of the process; its start where there was none. */
  readonly heardAtMs: number;
  /** When the oldest request was sent that it has not answered, withdrawn ones too; null where it owes nothing. */
  readonly owedSinceMs: number | null;
};

/**
 * Whether a replica has to be asked if it lives.
 * - `heard`: it said something lately. What answers calls needs no probe.
 * - `busy`: it works on a call, and has been silent for no longer than a call may be. Many servers do one thing at a
 *   time and cannot answer meanwhile; a probe would only stand in their queue. A call that was cancelled or timed
 *   out counts too: the server may go on with it.
 * - `probe`: silent, and nothing explains it.
 */
export function probeNeed(
  { heardAtMs, owedSinceMs }: Silence,
  nowMs: number,
  { intervalMs }: Pick<HealthPolicy, 'intervalMs'>,
  callTimeoutMs: number,
): 'heard' | 'busy' | 'probe' {
  if (nowMs - heardAtMs < intervalMs) return 'heard';
  if (owedSinceMs === null) return 'probe';
  return nowMs - Math.max(heardAtMs, owedSinceMs) < callTimeoutMs ? 'busy' : 'probe';
}
