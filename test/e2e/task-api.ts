import { api, expectStatus, type Json } from './harness.ts';
import { until } from './until.ts';

export type TaskView = {
  readonly task_id: string;
  readonly status: string;
  readonly topic: string;
  readonly attempts: number;
  readonly result: {
    readonly content: readonly { readonly text?: string }[];
    readonly isError?: boolean;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly agent: string | null;
  readonly enqueued_at: string;
  readonly due_at?: string;
  readonly finished_at: string | null;
};
type Accepted = { readonly task_id: string; readonly status: string };

const MESH = '/api/v1/mesh';

/** Enqueues a call of a tool, as any caller may. */
export function enqueueTool(task_type: string, payload: Json = {}, more: Json = {}): Promise<Accepted> {
  const body = { task_type, payload, ...more };
  return expectStatus<Accepted>(200, api('POST', `${MESH}/v2/enqueue`, { body, token: null }));
}

export function taskOf(id: string): Promise<TaskView> {
  return expectStatus<TaskView>(200, api('GET', `${MESH}/v2/task/${id}`, { token: null }));
}

/** Waits until a task is in a state. */
export function untilTask(id: string, status: string, timeoutMs = 30_000): Promise<TaskView> {
  const seen = async () => {
    const task = await taskOf(id);
    if (task.status !== status) throw new Error(JSON.stringify(task));
    return task;
  };
  return until(`task ${id} is ${status}`, seen, { timeoutMs });
}

export function post(path: string, body?: Json, token?: null) {
  return api('POST', `${MESH}${path}`, { ...(body && { body }), ...(token === null && { token }) });
}

export function get<T>(path: string): Promise<T> {
  return expectStatus<T>(200, api('GET', `${MESH}${path}`));
}

export function textOfTask({ result }: TaskView): string {
  return (result?.content ?? []).map(({ text = '' }) => text).join('');
}
