import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { ReloadResult } from '../openapi/schemas.ts';
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
      errors: ['invalid_config'],
      handle: async () => json(await servers.reload()),
    }),
  ];
}
