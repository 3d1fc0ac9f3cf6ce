import test from 'ava';
import { TASK_LIMITS } from '../../orchestrator/bus/index.ts';
import { answered, busRig } from './rig.ts';

const execute = async () => answered;

test('what a principal enqueued is seen by itself and by who sees everything, and by nobody else', async (t) => {
  const rig = busRig(t, execute, { works: false });
  const id = await rig.enqueue('a/b');
  const request = { topic: 'mcp', consumer: 'x', count: 1, perLane: 1, busy: new Map(), turn: 0 };
  t.like(JSON.parse(await rig.bus.status(id, 'alice')), {
    task_id: id,
    status: 'queued',
    attempts: 0,
    result: null,
  });
  t.like(JSON.parse(await rig.bus.status(id, null)), { task_id: id });
  await t.throwsAsync(rig.bus.status(id, 'bob'), { message: /There is no task/ });
  await rig.store.claim({ ...request, abandonedAfterMs: null });
  await rig.store.settle('x', [{ id, kind: 'dead', reason: 'attempts', message: 'no' }]);
  t.deepEqual(await rig.bus.dead('mcp', 10, 'bob'), []);
  await t.throwsAsync(rig.bus.replay(id, 'bob'), { message: /There is no task/ });
  await t.throwsAsync(rig.bus.discard(id, 'bob'), { message: /There is no task/ });
  await rig.bus.replay(id, 'alice');
  t.like(JSON.parse(await rig.bus.status(id, 'alice')), { status: 'queued' });
  await t.throwsAsync(rig.bus.replay(id, 'alice'), { message: /not among the dead letters/ });
});

test('idempotency keys belong to their principal and topic', async (t) => {
  const rig = busRig(t, execute, { works: false });
  const key = { idempotencyKey: 'k' };
  const first = await rig.enqueue('a/b', key);
  t.is(await rig.enqueue('a/b', key), first);
  t.not(await rig.enqueue('a/b', key, 'bob'), first);
  t.not(await rig.enqueue('a/b', { ...key, topic: 'mail' }), first);
  const error = await t.throwsAsync(rig.enqueue('a/other', key));
  t.like(error, { code: 'invalid_state' });
});

test('a task of the mesh names a server that exists and a tool that is offered; others are free', async (t) => {
  const rig = busRig(t, execute, { works: false });
  t.like(await t.throwsAsync(rig.enqueue('nobody/x')), { code: 'server_not_found' });
  t.like(await t.throwsAsync(rig.enqueue('a/hidden')), { code: 'tool_not_found' });
  for (const type of ['x', '/x', 'x/', '']) {
    t.like(await t.throwsAsync(rig.enqueue(type)), { code: 'unprocessable' }, type);
  }
  t.is(typeof (await rig.enqueue('x', { topic: 'mail' })), 'string');
});

test('a full bus says when to come back, counts it, and those that came at the same time do not suffer', async (t) => {
  const rig = busRig(t, execute, { works: false, limits: { ...TASK_LIMITS, maxTasks: 3 } });
  const one = rig.enqueue('a/b');
  const tooMany = rig.bus.enqueue(
    Array.from({ length: 3 }, () => ({
      ...{ topic: 'mcp', task: { task_type: 'a/b' }, priority: 0, delayMs: 0 },
      ...{ idempotencyKey: null, maxAttempts: 1, mayRunTwice: false },
    })),
    'alice',
  );
  const error = await t.throwsAsync(tooMany);
  t.like(error, { code: 'queue_full', detail: { retryAfterMs: 1000 } });
  t.is(typeof (await one), 'string');
  t.like(await rig.fact('task.refused'), { count: 3 });
  t.deepEqual(await rig.bus.backlog(), { pending: 1, dead: 0 });
});
