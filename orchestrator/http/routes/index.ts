import type { Route } from '../openapi/define-route.ts';
import type { HttpOptions } from '../options.ts';
import { agentRoutes } from './agents.ts';
import { containerRoutes } from './containers.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { healthRoutes } from './health.ts';
import { logRoutes } from './logs.ts';
import { mcpRoutes } from './mcp.ts';
import { meshRoutes } from './mesh.ts';
import { callRoutes } from './mesh-call.ts';
import { configureRoutes } from './mesh-configure.ts';
import { registerRoutes } from './mesh-register.ts';
import { topologyRoutes } from './mesh-topology.ts';
import { metricsRoutes } from './metrics.ts';
import { openApiRoutes } from './openapi.ts';
import { reloadRoutes } from './reload.ts';
import { serverRoutes } from './servers.ts';
import { sseRoutes } from './sse.ts';
import { taskRoutes } from './tasks.ts';
import { toolRoutes } from './tools.ts';

/** Every route there is. The busiest come first: the router tries them in this order. */
export function allRoutes(options: HttpOptions): readonly Route[] {
  const routes: readonly Route[] = [
    ...mcpRoutes(options),
    ...sseRoutes(options),
    ...toolRoutes(options),
    ...taskRoutes(options),
    ...serverRoutes(options),
    ...containerRoutes(options),
    ...logRoutes(options),
    ...meshRoutes(options),
    ...registerRoutes(options),
    ...callRoutes(options),
    ...topologyRoutes(options),
    ...configureRoutes(options),
    ...deadLetterRoutes(options),
    ...agentRoutes(options),
    ...healthRoutes(options),
    ...metricsRoutes(options),
    ...reloadRoutes(options),
    ...openApiRoutes(options, () => routes),
  ];
  return routes;
}
