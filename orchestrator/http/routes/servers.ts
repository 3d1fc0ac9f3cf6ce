import { z } from 'zod';
import type { ServerView } from '../../kernel/index.ts';
import { type Answer, defineRoute, json, type Route } from '../openapi/define-route.ts';
import { AnyObject, ScaleRequest, Server, ServerList } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';
import { createBody } from './server-body.ts';

const NAME = { name: 'Name of a server: ^[a-z][a-z0-9-]{0,62}$' };
const SERVER = { 'application/json': Server };
const LOCATION = { Location: 'Where the server is described.' };

export function serverRoutes({ servers, entrySchema }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/servers',
      operationId: 'listServers',
      summary: 'All servers',
      tag: 'servers',
      scope: 'call',
      answers: { 200: { description: 'All servers', content: { 'application/json': ServerList } } },
      errors: [],
      handle: async () => json({ servers: servers.list() }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/servers',
      operationId: 'createServer',
      summary: 'Add a server, or those of a server.json or mcp.json',
      tag: 'servers',
      scope: 'admin',
      body: { schema: AnyObject, document: createBody(entrySchema) },
      answers: {
        202: {
          description: 'The server, or the servers where the document named several; containers follow',
          headers: LOCATION,
          content: { 'application/json': z.union([Server, ServerList]) },
        },
      },
      errors: ['server_exists', 'invalid_config', 'address_not_allowed', 'registry_unavailable'],
      handle: async ({ body }) => created(await servers.create(body)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/servers/{name}',
      operationId: 'getServer',
      summary: 'One server',
      tag: 'servers',
      scope: 'call',
      params: NAME,
      answers: { 200: { description: 'The server', content: SERVER } },
      errors: ['server_not_found'],
      handle: async ({ params }) => json(servers.get(params.name ?? '')),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/v1/servers/{name}',
      operationId: 'patchServer',
      summary: 'Change a server made over the API, by JSON merge patch',
      tag: 'servers',
      scope: 'admin',
      params: NAME,
      body: { schema: AnyObject, types: ['application/merge-patch+json', 'application/json'] },
      answers: { 202: { description: 'The server; the change follows', content: SERVER } },
      errors: [
        'server_not_found',
        'managed_by_file',
        'invalid_state',
        'invalid_config',
        'address_not_allowed',
        'registry_unavailable',
      ],
      handle: async ({ params, body }) => json(await servers.patch(params.name ?? '', body), 202),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/servers/{name}',
      operationId: 'deleteServer',
      summary: 'Remove a server made over the API; answers once its containers are gone',
      tag: 'servers',
      scope: 'admin',
      params: NAME,
      answers: { 204: { description: 'Gone' } },
      errors: ['server_not_found', 'managed_by_file', 'invalid_state', 'registry_unavailable'],
      handle: async ({ params }) => {
        await servers.remove(params.name ?? '');
        return { kind: 'empty', status: 204 };
      },
    }),
    verb('start', 'Start a server that was stopped', (name) => servers.start(name)),
    verb('stop', 'Stop a server; it stays stopped until it is started, whatever restarts meanwhile', (name) =>
      servers.stop(name),
    ),
    verb('restart', 'Replace all replicas of a server', (name) => servers.restart(name)),
    defineRoute({
      method: 'POST',
      path: '/api/v1/servers/{name}/scale',
      operationId: 'scaleServer',
      summary: 'Set the number of standing replicas; it holds until the configuration says another',
      tag: 'servers',
      scope: 'admin',
      params: NAME,
      body: { schema: ScaleRequest },
      answers: { 202: { description: 'The server; replicas follow', content: SERVER } },
      errors: ['server_not_found', 'invalid_state', 'registry_unavailable'],
      handle: async ({ params, body }) => json(await servers.scale(params.name ?? '', body.replicas), 202),
    }),
  ];
}

function verb(name: string, summary: string, act: (server: string) => Promise<ServerView>): Route {
  return defineRoute({
    method: 'POST',
    path: `/api/v1/servers/{name}/${name}`,
    operationId: `${name}Server`,
    summary,
    tag: 'servers',
    scope: 'admin',
    params: NAME,
    answers: { 202: { description: 'The server; the action follows', content: SERVER } },
    errors: ['server_not_found', 'invalid_state', 'registry_unavailable'],
    handle: async ({ params }) => json(await act(params.name ?? ''), 202),
  });
}

/** One server is answered bare, as it is nearly always one. */
function created(views: readonly ServerView[]): Answer {
  const [only, ...more] = views;
  if (only === undefined || more.length > 0)
    return json({ servers: views }, 202, { Location: '/api/v1/servers' });
  return json(only, 202, { Location: `/api/v1/servers/${only.name}` });
}
