import { Config, ReloadResult } from '../openapi/config-schemas.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import type { HttpOptions } from '../options.ts';

export function reloadRoutes({ servers }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/reload',
      operationId: 'reload',
      summary: 'Read gantry.yaml again and apply exactly the difference of its servers',
      tag: 'servers',
      scope: 'admin',
      answers: {
        200: { description: 'What changed, by name', content: { 'application/json': ReloadResult } },
      },
      errors: ['invalid_config', 'server_exists'],
      handle: async () => json(await servers.reload()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/config',
      operationId: 'getConfig',
      summary: 'gantry.yaml as it was last read: what came into force, or why it was refused',
      tag: 'servers',
      scope: 'call',
      answers: {
        200: { description: 'The last reading', content: { 'application/json': Config } },
      },
      errors: [],
      handle: async () => json(servers.config()),
    }),
  ];
}
