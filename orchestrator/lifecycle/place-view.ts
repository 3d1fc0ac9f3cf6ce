import type { PlaceView, Reason, ServerSpec, ServerState } from '../kernel/index.ts';
import { replicaNumber } from './labels.ts';
import { placesOf } from './remote/places.ts';
import type { Slot } from './slot.ts';
import type { SlotPhase } from './slot-phase.ts';

/** One place of a pool as the mesh routes show it. */
export function placeView(slot: Slot, spec: ServerSpec): PlaceView {
  const { id, phase, running, breaker } = slot;
  const remote = placesOf(spec).find(({ number }) => number === replicaNumber(id));
  return {
    replica: id,
    state: stateOf(phase),
    idle: running?.isResting === true,
    breaker: breaker.state,
    callsInFlight: running?.replica.callsInFlight ?? 0,
    reason: reasonOf(phase),
    url: remote?.url ?? null,
    registeredAs: remote?.id ?? null,
  };
}

function stateOf(phase: SlotPhase): ServerState {
  switch (phase.name) {
    case 'up':
      return phase.running.replica.state.name;
    case 'starting':
      return 'starting';
    case 'waiting':
      return 'failed';
    case 'ejected':
    case 'stopping':
      return 'draining';
    case 'held':
    case 'closed':
      return 'stopped';
  }
}

function reasonOf(phase: SlotPhase): Reason | null {
  if (phase.name === 'up') {
    const { state } = phase.running.replica;
    return state.name === 'failed' ? state.reason : null;
  }
  return 'reason' in phase ? phase.reason : null;
}
