import type { BreakerState, PlaceView, ReplicaView, ServerView } from '../../kernel/index.ts';
import type { InfrastructureView } from '../control.ts';
import type { RegistrationView } from '../mesh-control.ts';

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
    port: portOf(server.url),
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

/** What Gantry stands on, in the shape of a service: it has no replicas, and answers no call. */
export function baseService(view: InfrastructureView): ServiceView<never> {
  return { ...view, replicas: [], capabilities: {}, tools: [] };
}

export type InstanceView = {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly state: 'healthy' | 'unhealthy' | 'unknown';
  /** Why it does not serve, where that is known. */
  readonly reason: string | null;
  readonly connections: number;
  readonly circuit_breaker: BreakerState;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
};

/**
 * One standing place of a server in the words of the earlier mesh.
 * @param registration of one that registered itself, else undefined
 */
export function instanceOf(
  server: ServerView,
  place: PlaceView,
  registration: RegistrationView | undefined,
): InstanceView {
  // A container has no address of its own: it is reached through Gantry.
  const url = place.url ?? server.url;
  const { hostname } = new URL(url);
  return {
    id: place.registeredAs ?? place.replica,
    address: hostname.replace(/^\[|\]$/g, ''),
    port: portOf(url),
    state: placeState(place),
    reason: place.reason?.message ?? null,
    connections: place.callsInFlight,
    circuit_breaker: place.breaker,
    tags: registration?.tags ?? ['mcp'],
    metadata: {
      ...registration?.metadata,
      url,
      replica: place.replica,
      ...(registration === undefined ? {} : { expires_at: new Date(registration.expiresAt).toISOString() }),
    },
  };
}

/** A replica that rests is healthy, as a call brings it back; one that gets no calls is not. */
function placeState({ state, idle, breaker, reason }: PlaceView): InstanceView['state'] {
  if (idle || state === 'paused') return 'healthy';
  if (state === 'ready') return breaker === 'closed' ? 'healthy' : 'unhealthy';
  // Tried again after a failure, it has still to show that it works.
  return (state === 'starting' || state === 'pending') && reason === null ? 'unknown' : 'unhealthy';
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === 'https:' ? 443 : 80));
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
