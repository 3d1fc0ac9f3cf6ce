import { api } from './harness.ts';
import { callBody } from './mesh-api.ts';
import type { RawAnswer } from './raw-http.ts';

const V2 = '/api/v1/mesh/v2';

/** One call for each route of the mesh API, in an order in which each can succeed; `name` is a server that is ready. */
export const MESH_CALLS: Readonly<Record<string, (scene: { readonly name: string }) => Promise<RawAnswer>>> =
  {
    'post /api/v1/mesh/v2/register': ({ name }) =>
      api('POST', `${V2}/register`, {
        body: { service_name: `${name}-far`, service_id: name, metadata: { url: gantryAt(name) } },
      }),
    'post /api/v1/mesh/v2/services/{id}/heartbeat': ({ name }) =>
      api('POST', `${V2}/services/${name}/heartbeat`),
    'get /api/v1/mesh/v2/services': () => api('GET', `${V2}/services`),
    'get /api/v1/mesh/v2/discover/{name}': ({ name }) =>
      api('GET', `${V2}/discover/${name}-far?use_cache=false`),
    'get /api/v1/mesh/v2/topology': () => api('GET', `${V2}/topology`),
    'get /api/v1/mesh/v2/health': () => api('GET', `${V2}/health`),
    'post /api/v1/mesh/v2/call': ({ name }) =>
      api('POST', `${V2}/call`, { body: callBody(name, 'echo', { text: 'x' }) }),
    'post /api/v1/mesh/v2/configure/load-balancer': ({ name }) =>
      api('POST', `${V2}/configure/load-balancer?strategy=weighted&service_name=${name}`),
    'post /api/v1/mesh/v2/configure/circuit-breaker': ({ name }) =>
      api('POST', `${V2}/configure/circuit-breaker?failure_threshold=9&service_name=${name}`),
    'delete /api/v1/mesh/v2/configure': ({ name }) => api('DELETE', `${V2}/configure?service_name=${name}`),
    'delete /api/v1/mesh/v2/deregister/{id}': ({ name }) => api('DELETE', `${V2}/deregister/${name}`),
  };

/** Where the orchestrator reaches itself. */
function gantryAt(name: string): string {
  return `http://127.0.0.1:7400/mcp/${name}`;
}
