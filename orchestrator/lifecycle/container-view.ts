import type { ContainerExit, ContainerFacts } from '../engine/index.ts';
import type { ContainerView, ServerState } from '../kernel/index.ts';
import type { Running } from './running.ts';

/**
 * A container as the API shows it (docs/api.md, Container).
 * @param facts as listed now; the ones of its start where it is gone.
 * @param lastExit how the predecessor in the same place ended: shown while this one has not ended itself.
 */
export function containerView(
  running: Running,
  facts: ContainerFacts,
  lastExit: ContainerExit | null,
): ContainerView {
  const { identity, channel, state } = running.replica;
  const { network, readOnlyRoot, user, capAdd, capDrop, noNewPrivileges, logDriver } = facts.isolation;
  return {
    id: facts.id,
    server: identity.server,
    replica: identity.id,
    generation: identity.generation,
    state: state.name satisfies ServerState,
    heldBy: identity.heldBy,
    restarts: identity.restarts,
    startedAt: facts.startedAt,
    channel: channel.kind,
    // Ours first: the engine cannot know whose kill it was.
    exit: running.exit ?? facts.exit ?? lastExit,
    limits: facts.limits,
    isolation: { network, readOnlyRoot, user, capAdd, capDrop, noNewPrivileges, logDriver },
    labels: facts.labels,
  };
}
