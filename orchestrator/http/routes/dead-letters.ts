import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { AcceptedTask, DeadLetters, Listing } from '../openapi/task-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { viewerOf } from './tasks.ts';

/** Tasks that were given up. They stay until somebody decides. */
export function deadLetterRoutes({ tasks }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/dead',
      operationId: 'listDeadLetters',
      summary: 'Tasks of a topic that were given up, newest first, with the reason',
      tag: 'tasks',
      scope: 'call',
      query: Listing,
      invalid: 'unprocessable',
      answers: { 200: { description: 'Dead letters', content: { 'application/json': DeadLetters } } },
      errors: ['registry_unavailable'],
      handle: async ({ query, caller }) => {
        const letters = await tasks.dead(query.topic, query.count, viewerOf(caller));
        const told = letters.map(({ id, reason, message, attempts, diedAt, json: task }) => ({
          ...{ task_id: id, reason, message, attempts, died_at: new Date(diedAt).toISOString() },
          task: JSON.parse(task),
        }));
        return json({ count: told.length, tasks: told });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/dead/{id}/replay',
      operationId: 'replayTask',
      summary: 'Put a dead letter back into its queue, also one that may have run',
      tag: 'tasks',
      scope: 'call',
      params: { id: 'Id of a task' },
      answers: { 200: { description: 'It is queued', content: { 'application/json': AcceptedTask } } },
      errors: ['task_not_found', 'invalid_state', 'registry_unavailable'],
      handle: async ({ params, caller }) => {
        const { id = '' } = params;
        await tasks.replay(id, viewerOf(caller));
        return json({
          task_id: id,
          status: 'queued',
          result: { message: 'The task is in its queue again.' },
        });
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/mesh/dead/{id}',
      operationId: 'discardTask',
      summary: 'Throw a dead letter away',
      tag: 'tasks',
      scope: 'call',
      params: { id: 'Id of a task' },
      answers: { 204: { description: 'It is forgotten' } },
      errors: ['task_not_found', 'invalid_state', 'registry_unavailable'],
      handle: async ({ params, caller }) => {
        await tasks.discard(params.id ?? '', viewerOf(caller));
        return { kind: 'empty', status: 204 };
      },
    }),
  ];
}
