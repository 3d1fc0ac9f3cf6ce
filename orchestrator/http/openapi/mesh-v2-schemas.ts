import { z } from 'zod';
import { serviceFields } from './mesh-schemas.ts';
import { named } from './named.ts';
import { anyObject, breakerState, whole } from './schemas.ts';

const MAX_TEXT = 512;

const serviceName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be a lower-case letter, then up to 62 of a-z, 0-9 and -');
const serviceId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ : @ -');

/** Shape of the earlier mesh: an id or a name, and where it is. */
export const RegisterRequest = named(
  'RegisterRequest',
  z
    .object({
      service_id: serviceId.optional().describe('By default name-address-port.'),
      service_name: serviceName.optional().describe('By default the service_id.'),
      address: z.string().min(1).max(MAX_TEXT).default('localhost'),
      port: z.int().min(1).max(65_535).default(8080),
      path: z.string().regex(/^\//, 'must begin with /').max(MAX_TEXT).default('/mcp'),
      tags: z.array(z.string().max(MAX_TEXT)).max(100).default([]),
      metadata: anyObject.default({}).describe('`url` takes the place of address, port and path.'),
      ttl: z
        .int()
        .min(1)
        .max(86_400)
        .default(300)
        .describe('Seconds until it is forgotten, unless it is heard from.'),
    })
    .refine(({ service_id, service_name }) => service_id !== undefined || service_name !== undefined, {
      error: 'service_id or service_name is required',
    }),
);
export type RegisterRequest = z.output<typeof RegisterRequest>;

export const Instance = named(
  'Instance',
  z.object({
    id: z.string(),
    address: z.string(),
    port: z.int(),
    state: z.enum(['healthy', 'unhealthy', 'unknown']),
    reason: z.string().nullable().describe('Why it does not serve, where that is known.'),
    connections: whole.describe('Calls in flight.'),
    circuit_breaker: breakerState,
    tags: z.array(z.string()),
    metadata: z.looseObject({ url: z.string() }),
  }),
);

const seconds = z.number().min(0).describe('Seconds.');
const registration = {
  service_id: z.string(),
  status: z.enum(['registered', 'renewed']),
  message: z.string(),
  ttl: seconds,
  expires_at: z.string(),
};
export const Registered = named(
  'Registered',
  z.object({
    ...registration,
    service: z.object({ id: z.string(), status: z.string(), instance: Instance.nullable() }),
  }),
);
export const Renewed = named('Renewed', z.object(registration));
export const Deregistered = named(
  'Deregistered',
  z.object({ service_id: z.string(), status: z.literal('deregistered'), message: z.string() }),
);

const ServiceWithInstances = named(
  'ServiceWithInstances',
  z.object({ ...serviceFields, tools: z.array(z.string()), instances: z.array(Instance) }),
);
export const ServiceInstances = named(
  'ServiceInstances',
  z.object({ services: z.array(ServiceWithInstances), count: whole }),
);

export const Discovery = named(
  'Discovery',
  z.object({ service_name: z.string(), instances: z.array(Instance), total: whole, healthy: whole }),
);

const TopologyInstance = z.object({
  id: z.string(),
  address: z.string(),
  port: z.int(),
  state: z.enum(['healthy', 'unhealthy', 'unknown']),
  reason: z.string().nullable(),
  connections: whole,
  circuit_breaker: breakerState
    .nullable()
    .describe('Null for what no breaker guards: engine, redis, orchestrator.'),
});
export const Topology = named(
  'Topology',
  z.object({
    services: z.record(
      z.string(),
      z.object({
        instances: z.array(TopologyInstance),
        total: whole,
        healthy: whole,
        tags: z.array(z.string()),
      }),
    ),
    total_instances: whole,
    healthy_instances: whole,
    circuit_breakers: z.record(z.string(), breakerState),
  }),
);

export const MeshHealth = named(
  'MeshHealth',
  z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy', 'no_services']),
    health_score: z.number().min(0).max(1),
    total_services: whole,
    total_instances: whole,
    healthy_instances: whole,
    open_circuit_breakers: whole,
    registry_connected: z.boolean(),
    services: z.record(z.string(), z.enum(['healthy', 'degraded', 'unhealthy', 'unknown'])),
    queue_stats: z.object({ pending_tasks: whole, total_services: whole, healthy_services: whole }),
    timestamp: z.string(),
  }),
);

/** Names of strategies: ours, and those of the earlier mesh. */
export const STRATEGIES = {
  round_robin: 'round_robin',
  least_connections: 'least_connections',
  weighted: 'weighted',
  random: 'random',
  peak_ewma: 'peak_ewma',
  consistent_hash: 'consistent_hash',
  ip_hash: 'consistent_hash',
} as const;

const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
export const LoadBalancerQuery = z.object({
  strategy: z.enum(Object.keys(STRATEGIES) as [keyof typeof STRATEGIES]),
  service_name: serviceName.optional(),
});
export const CircuitBreakerQuery = z.object({
  failure_threshold: number(1, 100).optional(),
  recovery_timeout: number(1, 3600).optional().describe('Seconds.'),
  service_name: serviceName.optional(),
});
export const ServiceQuery = z.object({ service_name: serviceName.optional() });
export const DiscoverQuery = z.object({
  use_cache: z.enum(['true', 'false']).default('true').describe('false asks the instances anew.'),
});
export const Configured = named(
  'Configured',
  z.object({
    status: z.literal('configured'),
    message: z.string(),
    services: z.array(z.string()).describe('Those that it holds for now.'),
  }),
);

export const CallRequest = named(
  'CallRequest',
  z.object({
    service_name: serviceName,
    method: z
      .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .default('GET')
      .describe('Of no account for MCP.'),
    path: z.string().regex(/^\//, 'must begin with /').max(4096).default('/'),
    headers: z.record(z.string(), z.string()).default({}).describe('None of them reaches the service.'),
    body: z.unknown().optional(),
    timeout: z.number().min(1).max(300).default(30).describe('Seconds.'),
    retry_count: z.int().min(0).max(10).default(3),
  }),
);
export type CallRequest = z.output<typeof CallRequest>;
export const CallAnswer = named(
  'CallAnswer',
  z.object({
    status_code: z.literal(200),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
    instance_id: z.string().nullable(),
    trace_id: z.string().regex(/^[0-9a-f]{32}$/),
    duration: seconds,
  }),
);
