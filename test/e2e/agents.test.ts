import test from 'ava';
import { api, expectStatus } from './harness.ts';
import { uniqueName } from './own-server.ts';
import { get, post, taskOf } from './task-api.ts';

type Claimed = { readonly tasks: readonly { readonly task_id: string; readonly task: unknown }[] };

async function enqueue(topic: string, task: object, more: object = {}): Promise<string> {
  const { id } = await expectStatus<{ id: string }>(200, post('/enqueue', { topic, task, ...more }, null));
  return id;
}

async function claim(topic: string, agent: string, count = 10): Promise<Claimed['tasks']> {
  const body = { topic, agent_id: agent, count };
  return (await expectStatus<Claimed>(200, post('/claim', body))).tasks;
}

test('an agent is there for a minute after it was heard of', async (t) => {
  const id = uniqueName('agent');
  t.is((await post(`/agents/${id}/heartbeat`)).status, 404, 'silent success was what the earlier mesh had');
  const body = { agent_type: 'mailer', meta: { version: 2 } };
  const beaten = await expectStatus(200, post(`/agents/${id}/heartbeat`, body, null));
  t.deepEqual(beaten, { agent_id: id, ttl_seconds: 60, tasks: [] });
  t.is((await post(`/agents/${id}/heartbeat`)).status, 200);
  const { count, agents } = await get<{ count: number; agents: { agent_id: string }[] }>('/agents');
  t.is(count, agents.length);
  t.deepEqual(
    agents.find((one) => one.agent_id === id),
    { agent_id: id, ...body },
  );
  t.true(
    agents.some(({ agent_id }) => agent_id.startsWith('orchestrator:')),
    'the mesh consumes as well',
  );
});

test('agents share the tasks of a topic, urgent ones first, and say how they ended', async (t) => {
  const topic = uniqueName('mail');
  const plain = await enqueue(topic, { to: 'a' });
  const urgent = await enqueue(topic, { to: 'b' }, { priority: 7 });
  const [first] = await claim(topic, 'one', 1);
  const [second] = await claim(topic, 'two', 1);
  t.like(first, { task_id: urgent, priority: 7, attempts: 1, task: { to: 'b' } });
  t.is(second?.task_id, plain);
  t.deepEqual(await claim(topic, 'two'), []);
  t.is((await taskOf(urgent)).status, 'running');
  const sent = { agent_id: 'one', status: 'done', result: { sent: true } };
  t.is((await post(`/v2/task/${plain}/result`, sent)).status, 409, 'it is in the hands of another');
  t.is((await post(`/v2/task/${urgent}/result`, sent)).status, 200);
  t.is((await post(`/v2/task/${urgent}/result`, sent)).status, 409, 'it is over');
  t.like(await taskOf(urgent), { status: 'done', result: { sent: true }, agent: 'one' });
  const failed = { agent_id: 'two', status: 'failed', message: 'no such address' };
  t.is((await post(`/v2/task/${plain}/result`, failed)).status, 200);
  const results = await get<{ data: { task_id: string; error: unknown } }[]>(`/results?topic=${topic}`);
  t.deepEqual(
    results.map(({ data }) => [data.task_id, data.error]),
    [
      [plain, { code: 'agent_error', message: 'no such address' }],
      [urgent, null],
    ],
  );
});

test('an agent may ask for another attempt, until there are none left', async (t) => {
  const topic = uniqueName('mail');
  const id = await enqueue(topic, { to: 'a' }, { max_attempts: 1 });
  await claim(topic, 'one');
  const again = { agent_id: 'one', status: 'retry', message: 'the post office is closed' };
  t.deepEqual(await expectStatus(200, post(`/v2/task/${id}/result`, again)), { task_id: id, status: 'dead' });
  t.like(await taskOf(id), {
    status: 'dead',
    error: { code: 'attempts', message: 'the post office is closed' },
  });
  const { tasks } = await get<{ tasks: { task_id: string }[] }>(`/dead?topic=${topic}`);
  t.deepEqual(
    tasks.map(({ task_id }) => task_id),
    [id],
  );
});

test('who says that it is still at work is told which tasks are still its own', async (t) => {
  const topic = uniqueName('mail');
  const id = await enqueue(topic, { to: 'a' });
  await claim(topic, 'one');
  const beat = (agent: string) => post(`/agents/${agent}/heartbeat`, { agent_type: 'mailer', tasks: [id] });
  t.deepEqual((await expectStatus(200, beat('one'))).tasks, [id]);
  t.deepEqual((await expectStatus(200, beat('two'))).tasks, []);
});

test('to consume a topic takes the admin token, because tasks of everybody are in it', async (t) => {
  const claimed = await api('POST', '/api/v1/mesh/claim', {
    body: { topic: 'mail', agent_id: 'x' },
    token: null,
  });
  t.is(claimed.status, 401);
});
