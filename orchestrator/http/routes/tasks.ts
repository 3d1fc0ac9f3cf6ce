import { MESH_TOPIC } from '../../kernel/index.ts';
import type { Caller, TaskRequest } from '../control.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import {
  AcceptedTask,
  AcceptedTasks,
  EnqueuedId,
  Listing,
  Results,
  Task,
  ToolTask,
  ToolTasks,
  TopicTask,
} from '../openapi/task-schemas.ts';
import type { HttpOptions } from '../options.ts';

type When = {
  readonly priority: number;
  readonly delay_ms: number;
  readonly idempotency_key?: string | undefined;
  readonly max_attempts: number;
};
type ToolTaskBody = When & { readonly task_type: string; readonly payload: Record<string, unknown> };

const ENQUEUE_ERRORS = ['server_not_found', 'invalid_state', 'queue_full', 'registry_unavailable'] as const;

/** Whose tasks a caller sees: its own; the administrator everybody's. */
export function viewerOf({ principal, scopes }: Caller): string | null {
  return scopes.includes('admin') ? null : principal;
}

/** Tasks that are executed later: taken now, done whatever happens to this process. */
export function taskRoutes({ tasks }: HttpOptions): Route[] {
  const enqueue = async (bodies: readonly ToolTaskBody[], { principal }: Caller) =>
    (await tasks.enqueue(bodies.map(toolRequestOf), principal)).map(accepted);
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/v2/enqueue',
      operationId: 'enqueueToolTask',
      summary: 'Have a tool called later; the result is kept for a day',
      tag: 'tasks',
      scope: 'call',
      body: { schema: ToolTask },
      invalid: 'unprocessable',
      answers: { 200: { description: 'It is on disk', content: { 'application/json': AcceptedTask } } },
      errors: ENQUEUE_ERRORS,
      handle: async ({ body, caller }) => json((await enqueue([body], caller))[0]),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/v2/enqueue/batch',
      operationId: 'enqueueToolTasks',
      summary: 'Up to 1000 of them at once: all are taken, or none',
      tag: 'tasks',
      scope: 'call',
      body: { schema: ToolTasks },
      invalid: 'unprocessable',
      answers: { 200: { description: 'They are on disk', content: { 'application/json': AcceptedTasks } } },
      errors: ENQUEUE_ERRORS,
      handle: async ({ body, caller }) => json({ tasks: await enqueue(body.tasks, caller) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/v2/task/{id}',
      operationId: 'getTask',
      summary: 'What has become of a task',
      tag: 'tasks',
      scope: 'call',
      params: { id: 'Id of a task' },
      answers: { 200: { description: 'The task', content: { 'application/json': Task } } },
      errors: ['task_not_found', 'registry_unavailable'],
      handle: async ({ params, caller }) => text(await tasks.status(params.id ?? '', viewerOf(caller))),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/enqueue',
      operationId: 'enqueueTask',
      summary: `A task of any topic; those of topic ${MESH_TOPIC} name a tool and are executed by the mesh`,
      tag: 'tasks',
      scope: 'call',
      body: { schema: TopicTask },
      invalid: 'unprocessable',
      answers: { 200: { description: 'It is on disk', content: { 'application/json': EnqueuedId } } },
      errors: ENQUEUE_ERRORS,
      handle: async ({ body, caller }) => {
        const { topic, task, may_run_twice: mayRunTwice } = body;
        const [taken] = await tasks.enqueue(
          [{ topic, task, mayRunTwice, ...whenOf(body) }],
          caller.principal,
        );
        return json({ id: taken?.id });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/mesh/results',
      operationId: 'listResults',
      summary: 'What finished last in a topic, newest first',
      tag: 'tasks',
      scope: 'call',
      query: Listing,
      invalid: 'unprocessable',
      answers: { 200: { description: 'The results', content: { 'application/json': Results } } },
      errors: ['registry_unavailable'],
      handle: async ({ query, caller }) => {
        const results = await tasks.results(query.topic, query.count, viewerOf(caller));
        return text(`[${results.map((one) => `{"id":"${one.id}","data":${one.json}}`).join(',')}]`);
      },
    }),
  ];
}

/** Goes out as it came in: numbers beyond 2^53 do not survive parse and stringify. */
function text(value: string) {
  return { kind: 'text', status: 200, type: 'application/json', text: value } as const;
}

function toolRequestOf(body: ToolTaskBody): TaskRequest {
  const task = { task_type: body.task_type, payload: body.payload };
  return { topic: MESH_TOPIC, task, mayRunTwice: false, ...whenOf(body) };
}

function whenOf(body: When) {
  return {
    priority: body.priority,
    delayMs: body.delay_ms,
    idempotencyKey: body.idempotency_key ?? null,
    maxAttempts: body.max_attempts,
  };
}

function accepted({ id, state, existed }: { id: string; state: string; existed: boolean }) {
  const message = existed ? 'A task with this idempotency key is there already.' : 'The task is on disk.';
  return { task_id: id, status: state, result: { message } };
}
