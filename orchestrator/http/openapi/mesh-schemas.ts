import { z } from 'zod';
import { named } from './named.ts';
import { anyObject, breakerState, state, Tool, whole } from './schemas.ts';

export const serviceFields = {
  id: z.string(),
  name: z.string(),
  address: z.string(),
  port: z.int(),
  tags: z.array(z.string()),
  metadata: z.looseObject({ url: z.string() }),
  state: z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']),
  replicas: z.array(
    z.object({
      id: z.string(),
      container_id: z.string(),
      state,
      calls_in_flight: whole,
      breaker: breakerState,
    }),
  ),
  capabilities: anyObject,
};
export const Service = named('Service', z.object({ ...serviceFields, tools: z.array(z.string()) }));
export const ServiceDetail = named('ServiceDetail', z.object({ ...serviceFields, tools: z.array(Tool) }));
export const ServiceList = named('ServiceList', z.object({ services: z.array(Service), count: whole }));
const Infrastructure = named(
  'Infrastructure',
  z.object({
    id: z.string(),
    name: z.enum(['engine', 'redis', 'orchestrator']),
    address: z.string(),
    port: z.int(),
    tags: z.array(z.literal('infrastructure')),
    metadata: z.object({ message: z.string(), url: z.string() }),
    state: z.enum(['healthy', 'unhealthy']),
  }),
);
export const MeshStatus = named(
  'MeshStatus',
  z.object({
    status: z.enum(['operational', 'degraded', 'error']),
    services_count: whole,
    services: z.array(Service),
    infrastructure: z.array(Infrastructure),
    queue_stats: z.object({ pending_tasks: whole, total_services: whole, healthy_services: whole }),
    timestamp: z.string(),
  }),
);
