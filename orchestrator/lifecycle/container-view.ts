import type { ContainerFacts } from '../engine/index.ts';
import type { ContainerView, ServerState } from '../kernel/index.ts';
import type { Running } from './running.ts';
import type { Slot } from './slot.ts';

/**
 * A container as the API shows it (docs/api.md, Container).
 * @param facts as listed now; the ones of its start where it is gone.
 * @param slot its place in a pool. How the predecessor there ended is shown while this one has not ended itself.
 */
export function containerView(running: Running, facts: ContainerFacts, slot: Slot | null): ContainerView {
  const { identity, channel } = running.replica;
  const { network, readOnlyRoot, user, capAdd, capDrop, noNewPrivileges, logDriver, runtime } =
    facts.isolation;
  return {
    id: facts.id,
    server: identity.server,
    replica: identity.id,
    generation: identity.generation,
    state: stateOf(running, slot),
    breaker: running.replica.view.breaker,
    heldBy: identity.heldBy === 'session' ? 'session' : 'pool',
    spare: identity.heldBy === 'spare',
    idle: running.isResting,
    restarts: identity.restarts,
    startedAt: facts.startedAt,
    channel: channel.kind,
    // Ours first: the engine cannot know whose kill it was.
    exit: running.exit ?? facts.exit ?? slot?.lastExit ?? null,
    limits: facts.limits,
    isolation: { network, readOnlyRoot, user, capAdd, capDrop, noNewPrivileges, logDriver, runtime },
    labels: facts.labels,
  };
}

/** A stopped container that has just been told to start still has its old replica. */
function stateOf(running: Running, slot: Slot | null): ServerState {
  const { name } = running.replica.state;
  return name === 'stopped' && slot?.phase.name === 'starting' ? 'starting' : name;
}
