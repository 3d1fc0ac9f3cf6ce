import type { ServerView } from '../../kernel/index.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { MeshStatus, ServiceDetail, ServiceList } from '../openapi/mesh-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { MeshServices } from './mesh-services.ts';
import { baseService, meshState, type ServiceView, serviceOf } from './mesh-view.ts';

/** The picture that the earlier mesh gave, with its snake_case and its word "service". */
export function meshRoutes(options: HttpOptions): Route[] {
  // Looking must start nothing: only what is known already is shown, never what a server would have to be asked.
  const service = <Tool>(server: ServerView, tools: readonly Tool[]): ServiceView<Tool> =>
    serviceOf(server, options.servers.replicas(server.name), tools);
  const services = new MeshServices(options);

  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/status',
      operationId: 'getMeshStatus',
      summary: 'The mesh at a glance; 503 when no service works',
      tag: 'mesh',
      scope: 'call',
      answers: {
        200: { description: 'operational or degraded', content: { 'application/json': MeshStatus } },
        503: { description: 'error', content: { 'application/json': MeshStatus } },
      },
      errors: [],
      handle: async () => {
        const servers = services.all;
        const infrastructure = await options.infrastructure();
        const all = [...servers, ...infrastructure.map(baseService)];
        // What runs is what counts: without Redis calls go on, and without the engine no server is healthy for long.
        const status = meshState(servers.map(({ state }) => state));
        const view = {
          status,
          services_count: all.length,
          services: all,
          infrastructure,
          queue_stats: {
            pending_tasks: (await options.pendingTasks?.()) ?? 0,
            total_services: all.length,
            healthy_services: all.filter(({ state }) => state === 'healthy').length,
          },
          timestamp: new Date().toISOString(),
        };
        return json(view, status === 'error' ? 503 : 200);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/services',
      operationId: 'listServices',
      summary: 'All services, with the names of their tools',
      tag: 'mesh',
      scope: 'call',
      answers: { 200: { description: 'All services', content: { 'application/json': ServiceList } } },
      errors: [],
      handle: async () => {
        const { all } = services;
        return json({ services: all, count: all.length });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/services/{name}',
      operationId: 'getService',
      summary: 'One service, with its tools in full',
      tag: 'mesh',
      scope: 'call',
      params: { name: 'Name of a server' },
      answers: { 200: { description: 'The service', content: { 'application/json': ServiceDetail } } },
      errors: ['server_not_found'],
      handle: async ({ params }) => {
        const server = options.servers.get(params.name ?? '');
        return json(service(server, options.tools.known(server.name)));
      },
    }),
  ];
}
