import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { Alive, Readiness } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';

export function healthRoutes({ health }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'The process answers',
      tag: 'health',
      scope: 'none',
      answers: { 200: { description: 'Alive', content: { 'application/json': Alive } } },
      errors: [],
      handle: async () => json({ status: 'ok' }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'What Gantry depends on answers; a failed server does not turn it red',
      tag: 'health',
      scope: 'none',
      answers: {
        200: { description: 'Ready', content: { 'application/json': Readiness } },
        503: { description: 'Something is missing', content: { 'application/json': Readiness } },
      },
      errors: [],
      handle: async () => {
        const checks = await health.check();
        const ok = Object.values(checks).every((check) => check === 'ok');
        return json({ status: ok ? 'ok' : 'unavailable', checks }, ok ? 200 : 503);
      },
    }),
  ];
}
