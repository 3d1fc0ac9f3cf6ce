import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import {
  CircuitBreakerQuery,
  Configured,
  LoadBalancerQuery,
  ServiceQuery,
  STRATEGIES,
} from '../openapi/mesh-v2-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { unprocessable } from './mesh-register.ts';

const BASE = '/api/v1/mesh/v2/configure';
const CONFIGURED = { 200: { description: 'In force', content: { 'application/json': Configured } } };

/** Settings over those of the configuration: in force at once, for one server or all, until they are changed again. */
export function configureRoutes({ mesh }: HttpOptions): Route[] {
  const answer = (services: readonly string[], message: string) =>
    json({ status: 'configured', message, services });
  return [
    defineRoute({
      method: 'POST',
      path: `${BASE}/load-balancer`,
      operationId: 'configureLoadBalancer',
      summary: 'Choose how calls are spread',
      tag: 'mesh',
      scope: 'admin',
      query: LoadBalancerQuery,
      invalid: 'unprocessable',
      answers: CONFIGURED,
      errors: ['server_not_found', 'registry_unavailable'],
      handle: async ({ query }) => {
        const strategy = STRATEGIES[query.strategy];
        const services = await mesh.tune({ strategy }, query.service_name ?? null);
        return answer(services, `Calls are spread by ${strategy}.`);
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${BASE}/circuit-breaker`,
      operationId: 'configureCircuitBreaker',
      summary: 'Set when breakers open and how long they stay open, those that exist too',
      tag: 'mesh',
      scope: 'admin',
      query: CircuitBreakerQuery,
      invalid: 'unprocessable',
      answers: CONFIGURED,
      errors: ['server_not_found', 'registry_unavailable'],
      handle: async ({ query }) => {
        const { failure_threshold, recovery_timeout, service_name = null } = query;
        if (failure_threshold === undefined && recovery_timeout === undefined) {
          throw unprocessable('query', 'failure_threshold, recovery_timeout or both are required');
        }
        const tune = {
          ...(failure_threshold === undefined ? {} : { consecutiveFailures: failure_threshold }),
          ...(recovery_timeout === undefined ? {} : { ejectMs: recovery_timeout * 1000 }),
        };
        const services = await mesh.tune(tune, service_name);
        return answer(services, 'Breakers open and recover by this from now on.');
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: BASE,
      operationId: 'resetConfiguration',
      summary: 'Back to what the configuration says',
      tag: 'mesh',
      scope: 'admin',
      query: ServiceQuery,
      invalid: 'unprocessable',
      answers: CONFIGURED,
      errors: ['server_not_found', 'registry_unavailable'],
      handle: async ({ query }) =>
        answer(await mesh.untune(query.service_name ?? null), 'The configuration is in force again.'),
    }),
  ];
}
