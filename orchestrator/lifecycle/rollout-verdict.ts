import type { Reason, ServerSpec } from '../kernel/index.ts';
import type { SlotPhase } from './slot-phase.ts';

/** What is known of the places of a pool that takes over from another one. */
export type Newcomer = { readonly phase: SlotPhase; readonly available: boolean };

export type NewcomerVerdict =
  | { readonly state: 'coming' }
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly reason: Reason };

/** A container that somebody ended on purpose, or an engine that is away, says nothing about the change. */
const NO_FAULT: ReadonlySet<Reason['code']> = new Set(['engine_unavailable', 'killed', 'stopped']);

/**
 * Whether new replicas may serve. The first that fails is enough to say no: unlike a server that was fine before, there
 * is something better to go back to, so nothing is gained by trying again.
 */
export function judgeNewcomers(newcomers: readonly Newcomer[]): NewcomerVerdict {
  for (const { phase } of newcomers) {
    if ((phase.name === 'waiting' || phase.name === 'ejected') && !NO_FAULT.has(phase.reason.code)) {
      return { state: 'failed', reason: phase.reason };
    }
  }
  const isReady = newcomers.every(({ phase, available }) => phase.name === 'up' && available);
  return { state: isReady ? 'ready' : 'coming' };
}

/**
 * How a changed server is replaced. A volume that one process at a time has had so far must not be opened by the old
 * and the new one together: files without locks would be lost between them. Where several processes share a volume
 * already, sessions of one principal or several standing replicas, two more for a moment are nothing new.
 */
export function rolloutMode(from: ServerSpec, to: ServerSpec): 'beside' | 'stop_first' {
  const isExclusive = ({ data, sharing, replicas }: ServerSpec): boolean =>
    data !== null && (sharing === 'shared' || sharing === 'principal') && replicas === 1;
  return from.data !== null && (isExclusive(from) || isExclusive(to)) ? 'stop_first' : 'beside';
}
