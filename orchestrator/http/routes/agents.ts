import { GantryError } from '../../kernel/index.ts';
import { authorize } from '../guards/auth.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import {
  AgentList,
  agentIdOf,
  Claim,
  ClaimedTasks,
  Heartbeat,
  HeartbeatAnswer,
  TaskReport,
  TaskReported,
} from '../openapi/task-schemas.ts';
import type { HttpOptions } from '../options.ts';

/** Agents and the tasks of their topics. Whoever consumes sees what others enqueued, hence the scope. */
export function agentRoutes({ agents }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/agents',
      operationId: 'listAgents',
      summary: 'Agents that were heard of within a minute',
      tag: 'tasks',
      scope: 'call',
      answers: { 200: { description: 'Agents', content: { 'application/json': AgentList } } },
      errors: ['registry_unavailable'],
      handle: async () => {
        const told = (await agents.list()).map(({ id, type, meta }) => ({
          agent_id: id,
          agent_type: type,
          meta,
        }));
        return json({ count: told.length, agents: told });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/agents/{id}/heartbeat',
      operationId: 'beatAgent',
      summary:
        'An agent is there, for another minute; with agent_type also one that is new. With tasks it takes the scope admin',
      tag: 'tasks',
      scope: 'call',
      params: { id: 'Id of an agent' },
      body: { schema: Heartbeat, absent: { tasks: [] } },
      invalid: 'unprocessable',
      answers: { 200: { description: 'It is known', content: { 'application/json': HeartbeatAnswer } } },
      errors: ['scope_missing', 'agent_not_found', 'queue_full', 'registry_unavailable'],
      handle: async ({ params, body, caller, ctx }) => {
        const id = agentIdOf(params.id ?? '');
        if (id === null) throw new GantryError('unprocessable', 'id: must be 1 to 64 of A-Z a-z 0-9 : _ . -');
        const { agent_type: type, meta, tasks } = body;
        // They are claimed and reported on with that scope alone: nobody else may hold up whom they would go to next.
        if (tasks.length > 0) authorize(ctx.req, caller, 'admin');
        const agent = type === undefined ? null : { type, meta: meta ?? {} };
        const kept = await agents.beat(id, agent, tasks);
        return json({ agent_id: id, ttl_seconds: agents.ttlSeconds, tasks: kept });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/claim',
      operationId: 'claimTasks',
      summary: 'Tasks of a topic for an agent, which has to report on them',
      tag: 'tasks',
      scope: 'admin',
      body: { schema: Claim },
      invalid: 'unprocessable',
      answers: { 200: { description: 'The tasks', content: { 'application/json': ClaimedTasks } } },
      errors: ['registry_unavailable'],
      handle: async ({ body }) => {
        const claimed = await agents.claim(body.topic, body.agent_id, body.count);
        const tasks = claimed.map(({ id, priority, attempts, json: task }) => ({
          ...{ task_id: id, priority, attempts },
          task: JSON.parse(task),
        }));
        return json({ topic: body.topic, lease_seconds: agents.ttlSeconds, tasks });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/v2/task/{id}/result',
      operationId: 'reportTask',
      summary: 'What an agent says of a task that it claimed',
      tag: 'tasks',
      scope: 'admin',
      params: { id: 'Id of a task' },
      body: { schema: TaskReport },
      invalid: 'unprocessable',
      answers: {
        200: { description: 'What has become of it', content: { 'application/json': TaskReported } },
      },
      errors: ['task_not_found', 'invalid_state', 'registry_unavailable'],
      handle: async ({ params, body }) => {
        const { id = '' } = params;
        const { agent_id: agent, status, result, message = null } = body;
        return json({ task_id: id, status: await agents.settle(id, agent, { status, result, message }) });
      },
    }),
  ];
}
