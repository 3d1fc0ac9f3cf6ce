import { defineRoute, type Route } from '../openapi/define-route.ts';
import type { HttpOptions } from '../options.ts';

export function metricsRoutes({ metrics }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus',
      tag: 'health',
      scope: 'call',
      answers: { 200: { description: 'Prometheus text', content: { 'text/plain': null } } },
      errors: [],
      handle: async () => {
        const { contentType, text } = await metrics.render();
        return { kind: 'text', status: 200, type: contentType, text };
      },
    }),
  ];
}
