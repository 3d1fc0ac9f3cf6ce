import { randomUUID } from 'node:crypto';
import test from 'ava';
import { api, expectStatus, metric } from './harness.ts';
import { addServer, fixtureEntry, removeServer, uniqueName, untilReady } from './own-server.ts';
import { enqueueTool, get, post, taskOf, textOfTask, untilTask } from './task-api.ts';

/** One server for all tests: a tool that may be called again, one that may not, both hang in their first run. */
let server = '';

test.before(async (t) => {
  t.timeout(180_000);
  const shared = { sharing: 'shared', data: '/data', timeouts: { callTimeoutMs: 4000 } };
  server = await addServer('tasks', { ...(await fixtureEntry('worker.py')), ...shared });
  await untilReady(server);
});
test.after.always(() => removeServer(server));

type Letters = {
  readonly tasks: readonly { readonly task_id: string; readonly reason: string; readonly task: unknown }[];
};

test('a task is executed by the real server, and its result is the answer of the tool', async (t) => {
  const accepted = await enqueueTool(`${server}/echo`, { text: 'later' });
  t.like(accepted, { status: 'queued', result: { message: 'The task is on disk.' } });
  const task = await untilTask(accepted.task_id, 'done');
  t.is(textOfTask(task), 'later');
  t.like(task, { topic: 'mcp', attempts: 1, error: null });
  t.regex(task.agent ?? '', /^orchestrator:/);
  t.true(Date.parse(task.finished_at ?? '') >= Date.parse(task.enqueued_at));
  const results = await get<{ id: string; data: unknown }[]>('/results?topic=mcp&count=100');
  t.deepEqual(results.find(({ data }) => (data as typeof task).task_id === task.task_id)?.data, task);
  t.regex(results[0]?.id ?? '', /^\d+-\d+$/);
});

test('a task of topic mcp is the same over the route that takes any topic', async (t) => {
  const task = { task_type: `${server}/echo`, payload: { text: 'by topic' } };
  const { id } = await expectStatus<{ id: string }>(200, post('/enqueue', { topic: 'mcp', task }, null));
  t.is(textOfTask(await untilTask(id, 'done')), 'by topic');
});

test('a batch is taken as a whole or not at all', async (t) => {
  const tasks = ['one', 'two', 'three'].map((text) => ({ task_type: `${server}/echo`, payload: { text } }));
  const taken = await expectStatus<{ tasks: { task_id: string }[] }>(
    200,
    post('/v2/enqueue/batch', { tasks }),
  );
  const texts = taken.tasks.map(async ({ task_id }) => textOfTask(await untilTask(task_id, 'done')));
  t.deepEqual(await Promise.all(texts), ['one', 'two', 'three']);
  const key = { idempotency_key: randomUUID() };
  const withUnknown = { tasks: [{ ...tasks[0], ...key }, { task_type: 'nobody/echo' }] };
  await expectStatus(404, post('/v2/enqueue/batch', withUnknown));
  // Had the first of them been taken, its key would stand for it.
  await untilTask((await enqueueTool(`${server}/echo`, { text: 'another' }, key)).task_id, 'done');
});

test('what is not as described is refused with 422, what is not there with 404', async (t) => {
  const task = { n: 1 };
  const unprocessable: readonly [string, object][] = [
    ['/enqueue', { topic: '', task }],
    ['/enqueue', { topic: 'Upper', task }],
    ['/enqueue', { topic: 'a'.repeat(65), task }],
    ['/enqueue', { topic: 'a b', task }],
    ['/enqueue', { task }],
    ['/enqueue', { topic: 'mail' }],
    ['/enqueue', { topic: 'mail', task: 'text' }],
    ['/enqueue', { topic: 'mail', task, priority: 10 }],
    ['/enqueue', { topic: 'mcp', task }],
    ['/v2/enqueue', {}],
    ['/v2/enqueue', { task_type: 'no-slash' }],
    ['/v2/enqueue', { task_type: `${server}/echo`, payload: [] }],
    ['/v2/enqueue', { task_type: `${server}/echo`, delay_ms: -1 }],
    ['/v2/enqueue/batch', { tasks: [] }],
    ['/claim', { topic: 'mcp', agent_id: 'me' }],
    ['/claim', { topic: 'mail', agent_id: 'a b' }],
    ['/agents/x/heartbeat', { agent_type: '' }],
    [`/agents/${'x'.repeat(65)}/heartbeat`, { agent_type: 'x' }],
  ];
  for (const [path, body] of unprocessable) {
    const answer = await post(path, body as Record<string, unknown>);
    t.is(answer.status, 422, `${path} ${JSON.stringify(body)}: ${answer.text}`);
    t.is(JSON.parse(answer.text).error.code, 'unprocessable');
  }
  for (const query of ['', '?topic=UP', '?topic=mcp&count=0', '?topic=mcp&count=101', '?topic=mcp&count=x']) {
    t.is((await api('GET', `/api/v1/mesh/results${query}`)).status, 422, query);
    t.is((await api('GET', `/api/v1/mesh/dead${query}`)).status, 422, query);
  }
  const nobody = randomUUID();
  const missing: readonly [string, string, object?][] = [
    ['GET', `/v2/task/${nobody}`],
    ['POST', `/dead/${nobody}/replay`],
    ['DELETE', `/dead/${nobody}`],
    ['POST', `/v2/task/${nobody}/result`, { agent_id: 'me', status: 'done' }],
    ['POST', '/agents/nobody/heartbeat'],
    ['POST', '/v2/enqueue', { task_type: 'nobody/echo' }],
  ];
  for (const [method, path, body] of missing) {
    const answer = await api(method, `/api/v1/mesh${path}`, body === undefined ? {} : { body });
    t.is(answer.status, 404, `${method} ${path}: ${answer.text}`);
  }
});

test('a tool that answers with an error has answered: the task has failed, and is not tried again', async (t) => {
  const { task_id } = await enqueueTool(`${server}/no-such-tool`);
  const task = await untilTask(task_id, 'failed');
  t.is(task.attempts, 1);
  t.regex(task.error?.message ?? '', /unknown tool/);
  const wrong = await untilTask((await enqueueTool(`${server}/hold_once`)).task_id, 'failed');
  t.like(wrong, { attempts: 1, error: { code: 'tool_error' }, result: { isError: true } });
});

test('a tool that may be called again is, after a pause, when its first call got no answer', async (t) => {
  const { task_id } = await enqueueTool(`${server}/hold_once`, { run: uniqueName('run') });
  const task = await untilTask(task_id, 'done');
  t.is(task.attempts, 2);
});

test('a tool that must not run twice does not: its task is a dead letter until somebody decides', async (t) => {
  const run = uniqueName('run');
  const { task_id } = await enqueueTool(`${server}/hold_only_once`, { run });
  const dead = await untilTask(task_id, 'dead');
  t.like(dead, { attempts: 1, result: null, error: { code: 'may_have_run' } });
  const { tasks } = await get<Letters>('/dead?topic=mcp&count=100');
  const letter = tasks.find((one) => one.task_id === task_id);
  t.like(letter, {
    reason: 'may_have_run',
    task: { task_type: `${server}/hold_only_once`, payload: { run } },
  });
  t.is((await post(`/dead/${task_id}/replay`)).status, 200);
  t.is((await untilTask(task_id, 'done')).attempts, 1, 'all attempts anew');
  t.is((await post(`/dead/${task_id}/replay`)).status, 409);
  const other = await enqueueTool(`${server}/hold_only_once`, { run: uniqueName('run') });
  await untilTask(other.task_id, 'dead');
  t.is((await api('DELETE', `/api/v1/mesh/dead/${other.task_id}`)).status, 204);
  t.is((await api('GET', `/api/v1/mesh/v2/task/${other.task_id}`)).status, 404);
  t.true((await metric('gantry_tasks_ended_total', 'outcome="may_have_run"')) >= 2);
});

test('a delayed task is not executed before it is due', async (t) => {
  const { task_id, status } = await enqueueTool(`${server}/echo`, { text: 'x' }, { delay_ms: 5000 });
  t.is(status, 'delayed');
  const waiting = await taskOf(task_id);
  t.is(waiting.status, 'delayed');
  const task = await untilTask(task_id, 'done');
  t.true(Date.parse(task.finished_at ?? '') >= Date.parse(waiting.due_at ?? ''));
});

test('of tasks with one idempotency key one is executed, and a different one under it is refused', async (t) => {
  const key = { idempotency_key: randomUUID() };
  const [first, second] = await Promise.all(
    [1, 2].map(() => enqueueTool(`${server}/echo`, { text: 'once' }, key)),
  );
  t.is(second?.task_id, first?.task_id);
  await untilTask(first?.task_id ?? '', 'done');
  t.is((await enqueueTool(`${server}/echo`, { text: 'once' }, key)).status, 'done');
  const other = await post(
    '/v2/enqueue',
    { task_type: `${server}/echo`, payload: { text: 'other' }, ...key },
    null,
  );
  t.is(other.status, 409);
});

test.serial(
  'a task of a stopped server waits until the server is back, and that is no attempt',
  async (t) => {
    await expectStatus(202, api('POST', `/api/v1/servers/${server}/stop`));
    const { task_id } = await enqueueTool(`${server}/echo`, { text: 'patient' });
    const waiting = await untilTask(task_id, 'delayed');
    t.like(waiting, { attempts: 0, error: { code: 'retrying' } });
    const status = await get<{ queue_stats: { pending_tasks: number } }>('/status');
    t.true(status.queue_stats.pending_tasks >= 1);
    await expectStatus(202, api('POST', `/api/v1/servers/${server}/start`));
    t.like(await untilTask(task_id, 'done'), { attempts: 1 });
  },
);
