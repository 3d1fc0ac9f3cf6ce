import type { BreakerState } from '../../kernel/index.ts';
import type { InfrastructureView } from '../control.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { MeshHealth, Topology } from '../openapi/mesh-v2-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { healthyOf, MeshServices } from './mesh-services.ts';
import type { InstanceView } from './mesh-view.ts';

/** Below this share of healthy instances the mesh is unhealthy, below the next degraded; the earlier mesh's numbers. */
const UNHEALTHY_BELOW = 0.5;
const DEGRADED_BELOW = 0.8;

export function topologyRoutes(options: HttpOptions): Route[] {
  const services = new MeshServices(options);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/v2/topology',
      operationId: 'getTopology',
      summary: 'All services with their instances and breakers, and what Gantry stands on',
      tag: 'mesh',
      scope: 'call',
      answers: { 200: { description: 'The topology', content: { 'application/json': Topology } } },
      errors: [],
      handle: async () => {
        const found = services.all.map(({ name, tags }) => {
          const instances = services.instances(name);
          const shown = instances.map(({ tags: _tags, metadata: _metadata, ...instance }) => instance);
          return [name, { instances: shown, total: shown.length, healthy: healthyOf(shown), tags }] as const;
        });
        const base = (await options.infrastructure()).map(
          (one) =>
            [services.has(one.name) ? `infrastructure:${one.name}` : one.name, baseService(one)] as const,
        );
        const all: readonly (readonly [string, TopologyService])[] = [...found, ...base];
        const instances = all.flatMap(([, service]) => service.instances);
        return json({
          services: Object.fromEntries(all),
          total_instances: instances.length,
          healthy_instances: healthyOf(instances),
          circuit_breakers: Object.fromEntries(
            found.flatMap(([, { instances: own }]) => own.map((one) => [one.id, one.circuit_breaker])),
          ),
        });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/v2/health',
      operationId: 'getMeshHealth',
      summary: 'How much of the mesh works; 503 when less than half does',
      tag: 'mesh',
      scope: 'call',
      answers: {
        200: { description: 'healthy, degraded or no_services', content: { 'application/json': MeshHealth } },
        503: { description: 'unhealthy', content: { 'application/json': MeshHealth } },
      },
      errors: [],
      handle: async () => {
        const all = services.all;
        const instances = all.flatMap(({ name }) => services.instances(name));
        const healthy = healthyOf(instances);
        const open = instances.filter((one) => one.circuit_breaker !== 'closed').length;
        const score = instances.length === 0 ? (all.length === 0 ? 1 : 0) : healthy / instances.length;
        const isConnected = (await options.health.check()).redis === 'ok';
        const status = meshHealth(all.length, score, open, isConnected);
        const view = {
          status,
          health_score: score,
          total_services: all.length,
          total_instances: instances.length,
          healthy_instances: healthy,
          open_circuit_breakers: open,
          registry_connected: isConnected,
          services: Object.fromEntries(all.map(({ name, state }) => [name, state])),
          queue_stats: {
            pending_tasks: (await options.pendingTasks?.()) ?? 0,
            total_services: all.length,
            healthy_services: all.filter(({ state }) => state === 'healthy').length,
          },
          timestamp: new Date().toISOString(),
        };
        return json(view, status === 'unhealthy' ? 503 : 200);
      },
    }),
  ];
}

/** @param score share of instances that are healthy, 0 to 1 */
export function meshHealth(
  services: number,
  score: number,
  openBreakers: number,
  isConnected: boolean,
): 'healthy' | 'degraded' | 'unhealthy' | 'no_services' {
  if (services === 0) return 'no_services';
  if (score < UNHEALTHY_BELOW) return 'unhealthy';
  return score < DEGRADED_BELOW || openBreakers > 0 || !isConnected ? 'degraded' : 'healthy';
}

/** A service in the words of the topology. Nothing guards the calls to what Gantry stands on. */
type TopologyService = {
  readonly instances: readonly (Pick<
    InstanceView,
    'id' | 'address' | 'port' | 'state' | 'reason' | 'connections'
  > & { readonly circuit_breaker: BreakerState | null })[];
  readonly total: number;
  readonly healthy: number;
  readonly tags: readonly string[];
};

function baseService({ id, address, port, state, tags, metadata }: InfrastructureView): TopologyService {
  const reason = state === 'healthy' ? null : metadata.message;
  const instance = { id, address, port, state, reason, connections: 0, circuit_breaker: null };
  return { instances: [instance], total: 1, healthy: state === 'healthy' ? 1 : 0, tags };
}
