import type { z } from 'zod';
import { type EnqueuedTask, MESH_TOPIC, type TaskRequest } from '../../kernel/index.ts';
import type { Caller } from '../control.ts';
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

/** What all routes here have in common, and those that take tasks. */
const ROUTE = { tag: 'tasks', scope: 'call' } as const;
const ENQUEUE = {
  ...ROUTE,
  method: 'POST',
  invalid: 'unprocessable',
  errors: ['server_not_found', 'tool_not_found', 'invalid_state', 'queue_full', 'registry_unavailable'],
} as const;

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
      ...ENQUEUE,
      path: '/api/v1/mesh/v2/enqueue',
      operationId: 'enqueueToolTask',
      summary: 'Have a tool called later; the result is kept for a day',
      body: { schema: ToolTask },
      answers: answer('It is on disk', AcceptedTask),
      handle: async ({ body, caller }) => json((await enqueue([body], caller))[0]),
    }),
    defineRoute({
      ...ENQUEUE,
      path: '/api/v1/mesh/v2/enqueue/batch',
      operationId: 'enqueueToolTasks',
      summary: 'Up to 1000 of them at once: all are taken, or none',
      body: { schema: ToolTasks },
      answers: answer('They are on disk', AcceptedTasks),
      handle: async ({ body, caller }) => json({ tasks: await enqueue(body.tasks, caller) }),
    }),
    defineRoute({
      ...ROUTE,
      method: 'GET',
      path: '/api/v1/mesh/v2/task/{id}',
      operationId: 'getTask',
      summary: 'What has become of a task',
      params: { id: 'Id of a task' },
      answers: answer('The task', Task),
      errors: ['task_not_found', 'registry_unavailable'],
      handle: async ({ params, caller }) => text(await tasks.status(params.id ?? '', viewerOf(caller))),
    }),
    defineRoute({
      ...ENQUEUE,
      path: '/api/v1/mesh/enqueue',
      operationId: 'enqueueTask',
      summary: `A task of any topic; those of topic ${MESH_TOPIC} name a tool and are executed by the mesh`,
      body: { schema: TopicTask },
      answers: answer('It is on disk', EnqueuedId),
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
      ...ROUTE,
      method: 'GET',
      path: '/api/v1/mesh/results',
      operationId: 'listResults',
      summary: 'What finished last in a topic, newest first',
      query: Listing,
      invalid: 'unprocessable',
      answers: answer('The results', Results),
      errors: ['registry_unavailable'],
      handle: async ({ query, caller }) => {
        const results = await tasks.results(query.topic, query.count, viewerOf(caller));
        return text(`[${results.map((one) => `{"id":"${one.id}","data":${one.json}}`).join(',')}]`);
      },
    }),
  ];
}

function answer(description: string, schema: z.ZodType) {
  return { 200: { description, content: { 'application/json': schema } } };
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

function accepted({ id, state, existed }: EnqueuedTask) {
  const message = existed ? 'A task with this idempotency key is there already.' : 'The task is on disk.';
  return { task_id: id, status: state, result: { message } };
}
