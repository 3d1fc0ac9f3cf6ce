import type { BreakerState, ReplicaView, ServerView } from '../../kernel/index.ts';

export type ServiceState = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

export type ServiceView<Tool> = {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly metadata: { readonly url: string };
  readonly state: ServiceState;
  readonly replicas: readonly {
    readonly id: string;
    readonly container_id: string;
    readonly state: string;
    readonly calls_in_flight: number;
    readonly breaker: BreakerState;
  }[];
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly tools: readonly Tool[];
};

export function serviceOf<Tool>(
  server: ServerView,
  replicas: readonly ReplicaView[],
  tools: readonly Tool[],
): ServiceView<Tool> {
  const url = new URL(server.url);
  return {
    id: server.name,
    name: server.name,
    address: url.hostname,
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    tags: ['mcp'],
    metadata: { url: server.url },
    state: serviceState(server, replicas),
    replicas: replicas.map((replica) => ({
      id: replica.id,
      container_id: replica.containerId,
      state: replica.state,
      calls_in_flight: replica.callsInFlight,
      breaker: replica.breaker,
    })),
    capabilities: server.capabilities,
    tools,
  };
}

/**
 * All desired replicas ready or paused is healthy, some is degraded, starting is unknown, none is unhealthy.
 * One that was stopped because nobody uses it is up as well: a call brings it back by itself.
 * Replicas held by sessions, and spares, were not asked for by the configuration and do not count. A server scaled to none
 * answers nobody, so it is unhealthy rather than healthy in an empty sense.
 */
export function serviceState(server: ServerView, replicas: readonly ReplicaView[]): ServiceState {
  const standing = replicas.filter((replica) => replica.heldBy === 'pool' && !replica.spare);
  const up = standing.filter(({ state, idle }) => state === 'ready' || state === 'paused' || idle).length;
  if (up > 0) return up >= server.replicas.desired ? 'healthy' : 'degraded';
  // The server's own state, because one that is still being installed has no container to ask.
  return server.state === 'pending' || server.state === 'starting' ? 'unknown' : 'unhealthy';
}

/** A mesh that is still starting, or in which something works, is degraded; error means that nothing does. */
export function meshState(states: readonly ServiceState[]): 'operational' | 'degraded' | 'error' {
  if (states.every((state) => state === 'healthy')) return 'operational';
  return states.every((state) => state === 'unhealthy') ? 'error' : 'degraded';
}
