import type { ServerView, ToolView } from '../../kernel/index.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { MeshStatus, ServiceDetail, ServiceList } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';
import { meshState, type ServiceView, serviceOf, toolsOrNone } from './mesh-view.ts';

/** The picture that the earlier mesh gave, with its snake_case and its word "service". */
export function meshRoutes(options: HttpOptions): Route[] {
  const toolsOf = (server: ServerView, principal: string): Promise<readonly ToolView[]> =>
    server.toolCount === 0 ? Promise.resolve([]) : toolsOrNone(options.tools.list(server.name, principal));

  const services = (principal: string): Promise<ServiceView<string>[]> =>
    Promise.all(
      options.servers.list().map(async (server) => {
        const tools = (await toolsOf(server, principal)).map((tool) => tool.name);
        return serviceOf(server, options.servers.replicas(server.name), tools);
      }),
    );

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
      handle: async ({ caller }) => {
        const all = await services(caller.principal);
        const status = meshState(all.map((service) => service.state));
        const view = {
          status,
          services_count: all.length,
          services: all,
          queue_stats: {
            pending_tasks: (await options.pendingTasks?.()) ?? 0,
            total_services: all.length,
            healthy_services: all.filter((service) => service.state === 'healthy').length,
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
      handle: async ({ caller }) => {
        const all = await services(caller.principal);
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
      handle: async ({ params, caller }) => {
        const server = options.servers.get(params.name ?? '');
        const tools = await toolsOf(server, caller.principal);
        return json(serviceOf(server, options.servers.replicas(server.name), tools));
      },
    }),
  ];
}
