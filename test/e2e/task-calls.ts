import { api, expectStatus } from './harness.ts';
import { uniqueName } from './own-server.ts';
import type { RawAnswer } from './raw-http.ts';
import { enqueueTool, post } from './task-api.ts';

type Call = (scene: { readonly name: string }) => Promise<RawAnswer>;

const agent = { agent_id: 'openapi' };

/** A task of an agents' topic that the agent has in hand. */
async function inHand(): Promise<string> {
  const topic = uniqueName('openapi');
  const body = { topic, task: { n: 1 }, max_attempts: 1 };
  const { id } = await expectStatus<{ id: string }>(200, post('/enqueue', body));
  await expectStatus(200, post('/claim', { topic, ...agent }));
  return id;
}

async function dead(): Promise<string> {
  const id = await inHand();
  await expectStatus(200, post(`/v2/task/${id}/result`, { ...agent, status: 'retry' }));
  return id;
}

/** One call for every route of the task bus, each of which succeeds. The key is method and path. */
export const TASK_CALLS: Readonly<Record<string, Call>> = {
  'post /api/v1/mesh/v2/enqueue': ({ name }) =>
    post('/v2/enqueue', { task_type: `${name}/echo`, payload: { text: 'x' }, priority: 1 }),
  'post /api/v1/mesh/v2/enqueue/batch': ({ name }) =>
    post('/v2/enqueue/batch', { tasks: [{ task_type: `${name}/echo` }] }),
  'get /api/v1/mesh/v2/task/{id}': async ({ name }) => {
    const { task_id } = await enqueueTool(`${name}/echo`, { text: 'x' }, { delay_ms: 60_000 });
    return api('GET', `/api/v1/mesh/v2/task/${task_id}`);
  },
  'post /api/v1/mesh/enqueue': () => post('/enqueue', { topic: 'openapi', task: { n: 1 } }),
  'get /api/v1/mesh/results': () => api('GET', '/api/v1/mesh/results?topic=mcp'),
  'get /api/v1/mesh/dead': async () => {
    await dead();
    return api('GET', '/api/v1/mesh/dead?topic=mcp&count=100');
  },
  'post /api/v1/mesh/dead/{id}/replay': async () => post(`/dead/${await dead()}/replay`),
  'delete /api/v1/mesh/dead/{id}': async () => api('DELETE', `/api/v1/mesh/dead/${await dead()}`),
  'get /api/v1/mesh/agents': () => api('GET', '/api/v1/mesh/agents'),
  'post /api/v1/mesh/agents/{id}/heartbeat': () => post('/agents/openapi/heartbeat', { agent_type: 'test' }),
  'post /api/v1/mesh/claim': () => post('/claim', { topic: 'openapi', ...agent }),
  'post /api/v1/mesh/v2/task/{id}/result': async () =>
    post(`/v2/task/${await inHand()}/result`, { ...agent, status: 'done', result: [1] }),
};
