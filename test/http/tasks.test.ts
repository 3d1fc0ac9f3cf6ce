import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { fakeAuth } from '../fakes/controls.ts';
import { fakeTasks, TASK_ID } from '../fakes/task-controls.ts';
import { startApp } from './ask.ts';

const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test('a caller sees the tasks of its principal, the administrator those of everybody', async (t) => {
  const viewers: unknown[] = [];
  const fake = fakeTasks().tasks;
  const tasks = {
    ...fake,
    status: async (_id: string, viewer: string | null) => {
      viewers.push(viewer);
      return '{"result":12345678901234567890}';
    },
    results: async (_topic: string, _count: number, viewer: string | null) => {
      viewers.push(viewer);
      return [{ id: '1-0', json: '{"result":12345678901234567890}' }];
    },
    dead: async (_topic: string, _count: number, viewer: string | null) => {
      viewers.push(viewer);
      return [];
    },
  };
  const { ask } = await startApp(t, { auth: fakeAuth(true), tasks });
  const paths = [`v2/task/${TASK_ID}`, 'results?topic=mcp', 'dead?topic=mcp'];
  const texts: string[] = [];
  for (const token of ['call-token', 'admin-token'])
    for (const path of paths) texts.push((await ask('GET', `/api/v1/mesh/${path}`, as(token))).text);
  t.deepEqual(viewers, ['alice', 'alice', 'alice', null, null, null]);
  t.is(
    texts[0],
    '{"result":12345678901234567890}',
    'as it was stored: parsed and written again it would be another',
  );
  t.is(texts[1], '[{"id":"1-0","data":{"result":12345678901234567890}}]');
});

test('a task is enqueued in the name of its caller, with its defaults', async (t) => {
  const asked: unknown[] = [];
  const enqueue = async (...args: unknown[]) => {
    asked.push(args);
    return [{ id: TASK_ID, state: 'queued' as const, existed: false }];
  };
  const { ask } = await startApp(t, { auth: fakeAuth(true), tasks: { ...fakeTasks().tasks, enqueue } });
  const body = {
    task_type: 'everything/a/b',
    payload: { n: 1 },
    priority: 9,
    delay_ms: 5,
    idempotency_key: 'k',
  };
  await ask('POST', '/api/v1/mesh/v2/enqueue', { ...as('call-token'), body });
  await ask('POST', '/api/v1/mesh/enqueue', {
    ...as('call-token'),
    body: { topic: 'mail', task: { to: 'a' } },
  });
  const task = { task_type: 'everything/a/b', payload: { n: 1 } };
  const first = { topic: 'mcp', task, priority: 9, delayMs: 5, idempotencyKey: 'k' };
  const second = { topic: 'mail', task: { to: 'a' }, priority: 0, delayMs: 0, idempotencyKey: null };
  const more = { maxAttempts: 5, mayRunTwice: false };
  t.deepEqual(asked, [
    [[{ ...first, ...more }], 'alice'],
    [[{ ...second, ...more }], 'alice'],
  ]);
});

test('whoever may only call cannot say that an agent is still at work on tasks', async (t) => {
  const beaten: unknown[] = [];
  const fake = fakeTasks().agents;
  const beat: typeof fake.beat = async (id, _agent, tasks) => {
    beaten.push([id, tasks]);
    return tasks;
  };
  const path = '/api/v1/mesh/agents/mailer/heartbeat';
  const statusOf = async (required: boolean, token: string | null, tasks: readonly string[]) => {
    const { ask } = await startApp(t, { auth: fakeAuth(required), agents: { ...fake, beat } });
    const { status, json } = await ask('POST', path, { ...(token !== null && as(token)), body: { tasks } });
    return [status, json.error?.code];
  };
  t.deepEqual(await statusOf(true, 'call-token', [TASK_ID]), [403, 'scope_missing']);
  t.deepEqual(await statusOf(false, null, [TASK_ID]), [401, 'unauthorized']);
  t.deepEqual(beaten, []);
  t.deepEqual(await statusOf(true, 'call-token', []), [200, undefined]);
  t.deepEqual(await statusOf(true, 'admin-token', [TASK_ID]), [200, undefined]);
  t.deepEqual(beaten, [
    ['mailer', []],
    ['mailer', [TASK_ID]],
  ]);
});

test('a full bus and a store that is away say when to come back', async (t) => {
  for (const [code, status] of [
    ['queue_full', 429],
    ['registry_unavailable', 503],
  ] as const) {
    const enqueue = async () => {
      throw new GantryError(code, 'Not now.', { detail: { retryAfterMs: 1500 } });
    };
    const { ask } = await startApp(t, { tasks: { ...fakeTasks().tasks, enqueue } });
    const asked = await ask('POST', '/api/v1/mesh/v2/enqueue', { body: { task_type: 'everything/echo' } });
    t.is(asked.status, status);
    t.is(asked.headers['retry-after'], '2');
  }
});
