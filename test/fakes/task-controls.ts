import type { HttpOptions } from '../../orchestrator/http/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';

export const TASK_ID = 'f0000000-0000-4000-8000-000000000001';

/** A task bus that knows one task, and one agent of the name of a container. */
export function fakeTasks(agentId = 'c0ffee'): Pick<HttpOptions, 'tasks' | 'agents'> {
  const known = (id: string): void => {
    if (id.startsWith('ffff')) throw new GantryError('task_not_found', `There is no task ${id}.`);
  };
  const outcome = {
    ...{ task_id: TASK_ID, status: 'done', topic: 'mcp', attempts: 1, result: { content: [] }, error: null },
    ...{
      agent: 'orchestrator:1',
      enqueued_at: '2026-01-01T00:00:00.000Z',
      finished_at: '2026-01-01T00:00:01.000Z',
    },
  };
  const json = JSON.stringify(outcome);
  const task = {
    ...{
      id: TASK_ID,
      topic: 'mail',
      lane: '',
      priority: 3,
      json: '{"to":"you"}',
      principal: 'alice',
      attempts: 1,
    },
    ...{
      maxAttempts: 5,
      refusals: 0,
      mayRunTwice: false,
      interrupted: false,
      wasHeld: false,
      enqueuedAt: 1,
      dueAt: 1,
    },
  };
  return {
    tasks: {
      enqueue: async (requests) => requests.map(() => ({ id: TASK_ID, state: 'queued', existed: false })),
      status: async (id) => {
        known(id);
        return json;
      },
      results: async () => [{ id: '1-0', json }],
      dead: async () => [{ ...task, reason: 'attempts', message: 'too often', diedAt: 1 }],
      replay: async (id) => known(id),
      discard: async (id) => known(id),
    },
    agents: {
      ttlSeconds: 60,
      list: async () => [{ id: agentId, type: 'mailer', meta: {} }],
      beat: async (id, _agent, tasks) => {
        if (!id.startsWith(agentId)) throw new GantryError('agent_not_found', `Agent ${id} is not known.`);
        return tasks;
      },
      claim: async () => [task],
      settle: async (id, _agent, { status }) => {
        known(id);
        return status;
      },
    },
  };
}
