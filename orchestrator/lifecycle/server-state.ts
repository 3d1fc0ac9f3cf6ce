import type { Facts, Reason, ServerState } from '../kernel/index.ts';
import type { SlotPhase } from './slot-phase.ts';

export type DerivedState = {
  readonly state: ServerState;
  readonly reason: Reason | null;
  /** Milliseconds since the epoch. */
  readonly nextTryAt: number | null;
};

/** What is intended for a server as a whole. */
export type Intent =
  | 'run'
  | 'stop'
  /** Another pool serves; sessions that are still here go on. */
  | 'retire'
  | 'close';

/**
 * The state of a server, from its places: the best one counts, because one ready replica serves. A reason is
 * kept until the server is ready again, so that it can be read after the container is gone.
 * @param obstacle what keeps it from being started, or null
 */
export function serverState(
  intent: Intent,
  phases: readonly SlotPhase[],
  obstacle: () => Reason | null,
): DerivedState {
  const derived = stateOf(intent, phases);
  const reason = derived.state === 'starting' ? obstacle() : null;
  return reason === null ? derived : { state: 'pending', reason, nextTryAt: null };
}

function stateOf(intent: Intent, phases: readonly SlotPhase[]): DerivedState {
  const named = (name: SlotPhase['name']): boolean => phases.some((phase) => phase.name === name);
  const plain = (state: ServerState): DerivedState => ({ state, reason: null, nextTryAt: null });
  if (intent === 'close' || intent === 'retire') return plain('draining');
  if (intent === 'stop')
    return plain(phases.every((phase) => phase.name === 'closed') ? 'stopped' : 'draining');
  const ups = phases.filter((phase) => phase.name === 'up');
  if (ups.some((phase) => phase.running.replica.state.name === 'ready')) return plain('ready');
  if (ups.some((phase) => phase.running.replica.state.name === 'paused')) return plain('paused');
  const waiting = phases.filter((phase) => phase.name === 'waiting');
  const failed = waiting.find((phase) => phase.failed) ?? null;
  const starting = phases.find((phase) => phase.name === 'starting');
  if (starting !== undefined) return { state: 'starting', reason: starting.reason, nextTryAt: null };
  const ejected = phases.find((phase) => phase.name === 'ejected');
  if (ejected !== undefined) return { state: 'draining', reason: ejected.reason, nextTryAt: null };
  if (failed !== null) return { state: 'failed', reason: failed.reason, nextTryAt: failed.nextTryAt };
  const [soon] = waiting;
  if (soon !== undefined) return { state: 'starting', reason: soon.reason, nextTryAt: soon.nextTryAt };
  if (ups.length > 0) return plain('starting'); // its end is just being looked into
  return plain(named('stopping') ? 'draining' : 'stopped');
}

/** States a server's state where it differs from what was told last. @returns what is told now */
export function tellState(
  facts: Facts,
  server: string,
  { state, reason }: DerivedState,
  told: string,
): string {
  const now = `${state} ${reason?.code ?? ''}`;
  if (now !== told) facts.state({ type: 'server.state', server, state, reason });
  return now;
}
