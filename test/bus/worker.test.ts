import test from 'ava';
import type { TaskStore } from '../../orchestrator/bus/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { answered, busRig, died } from './rig.ts';

const HOUR_MS = 3_600_000;

test('a task is written down as running before it is handed over, and is done when its result is stored', async (t) => {
  const seen: unknown[] = [];
  const rig = busRig(t, async ({ server, tool, args, principal }, { beforeSend }) => {
    await beforeSend();
    seen.push([server, tool, args, principal, (await rig.store.task(id))?.state]);
    return { raw: '{"big":12345678901234567890}', isError: false };
  });
  const id = await rig.enqueue('a/b/c');
  t.like(await rig.fact('task.ended'), { task: id, outcome: 'done' });
  t.deepEqual(seen, [['a', 'b/c', { n: 1 }, 'alice', 'running']]);
  const status = await rig.bus.status(id, 'alice');
  t.regex(status, /"status":"done".*"attempts":1,"result":\{"big":12345678901234567890\},"error":null/);
});

test('an answer with an error has failed the task; it is not tried again', async (t) => {
  const rig = busRig(t, async ({ tool }, { beforeSend }) => {
    await beforeSend();
    if (tool === 'rpc') throw new GantryError('mcp_error', 'error -32602: no');
    return { raw: '{"isError":true}', isError: true };
  });
  const rpc = await rig.enqueue('a/rpc');
  await rig.fact('task.ended');
  const tool = await rig.enqueue('a/tool');
  await rig.fact('task.ended', 2);
  t.like(JSON.parse(await rig.bus.status(rpc, null)), {
    status: 'failed',
    error: { code: 'mcp_error' },
    result: null,
  });
  t.like(JSON.parse(await rig.bus.status(tool, null)), { status: 'failed', error: { code: 'tool_error' } });
  t.deepEqual(JSON.parse(await rig.bus.status(tool, null)).result, { isError: true });
});

test('what was not handed over is tried again, without an attempt being counted', async (t) => {
  let tries = 0;
  const rig = busRig(t, async (_task, { beforeSend }) => {
    if (++tries < 4) throw new GantryError('no_replica', 'None.');
    await beforeSend();
    return answered;
  });
  const id = await rig.enqueue('a/b', { maxAttempts: 1 });
  for (const [index, delayMs] of [500, 1000, 2000].entries()) {
    t.like(await rig.fact('task.retried', index + 1), { why: 'refused', delayMs });
    rig.clock.advance(delayMs);
    rig.worker?.wake();
  }
  await rig.fact('task.ended');
  t.like(JSON.parse(await rig.bus.status(id, null)), { status: 'done', attempts: 1 });
});

test('who finds nobody for an hour is a dead letter', async (t) => {
  const rig = busRig(t, async () => {
    throw new GantryError('server_not_found', 'It was removed.');
  });
  const id = await rig.enqueue('a/b');
  await rig.fact('task.retried');
  rig.clock.advance(HOUR_MS);
  rig.worker?.wake();
  t.like(await rig.fact('task.ended'), { outcome: 'unreachable' });
  t.like((await rig.bus.dead('mcp', 1, null))[0], { id, reason: 'unreachable', message: 'It was removed.' });
});

test('what may have run is tried again only where it may run twice, and as often as it may', async (t) => {
  for (const mayRunTwice of [false, true]) {
    let executed = 0;
    const rig = busRig(
      t,
      async (_task, { beforeSend }) => {
        await beforeSend();
        executed++;
        throw died(true);
      },
      { mayRunTwice },
    );
    const id = await rig.enqueue('a/b', { maxAttempts: 2 });
    if (mayRunTwice) {
      t.like(await rig.fact('task.retried'), { why: 'failed', delayMs: 500 });
      rig.clock.advance(500);
      rig.worker?.wake();
    }
    const { outcome } = await rig.fact('task.ended');
    t.deepEqual([outcome, executed], mayRunTwice ? ['attempts', 2] : ['may_have_run', 1]);
    t.is((await rig.bus.dead('mcp', 1, null))[0]?.id, id);
  }
});

test('what a dead orchestrator had started is executed again only where it may run twice', async (t) => {
  for (const mayRunTwice of [false, true]) {
    let executed = 0;
    const execute = async (_task: unknown, { beforeSend }: { beforeSend: () => Promise<void> }) => {
      await beforeSend();
      executed++;
      return answered;
    };
    const rig = busRig(t, execute, { works: false });
    const [started, untouched] = [await rig.enqueue('a/b'), await rig.enqueue('a/b')];
    const request = { topic: 'mcp', consumer: 'gone', count: 9, perLane: 9, busy: new Map(), turn: 0 };
    await rig.store.claim({ ...request, abandonedAfterMs: null });
    await rig.store.start('gone', [{ id: started, mayRunTwice }]);
    rig.clock.advance(11_000);
    rig.startWorker();
    await rig.fact('task.ended', 2);
    t.is((await rig.store.task(untouched))?.state, 'done');
    t.is((await rig.store.task(started))?.state, mayRunTwice ? 'done' : 'dead');
    t.is(executed, mayRunTwice ? 2 : 1);
  }
});

test('a task that has gone to another consumer is not executed', async (t) => {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let executed = 0;
  const rig = busRig(t, async (_task, { beforeSend }) => {
    reached.resolve();
    await go.promise;
    await beforeSend();
    executed++;
    return answered;
  });
  const id = await rig.enqueue('a/b');
  await reached.promise;
  const request = { topic: 'mcp', consumer: 'other', count: 9, perLane: 9, busy: new Map(), turn: 0 };
  const [taken] = await rig.store.claim({ ...request, abandonedAfterMs: 0 });
  t.is(taken?.id, id);
  await rig.store.settle('other', [{ id, kind: 'done', json: '{"by":"other"}' }]);
  go.resolve();
  await rig.worker?.close(0);
  t.is(executed, 0);
  t.is(await rig.bus.status(id, null), '{"by":"other"}');
});

test('a result that the store does not take is kept until it does, and nothing is executed twice', async (t) => {
  let executed = 0;
  const rig = busRig(t, async (_task, { beforeSend }) => {
    await beforeSend();
    executed++;
    return answered;
  });
  const settle = rig.store.settle.bind(rig.store) as TaskStore['settle'];
  let refused = 0;
  rig.store.settle = async (...args) => {
    if (++refused <= 3) throw new GantryError('registry_unavailable', 'Away.');
    return settle(...args);
  };
  await rig.enqueue('a/b');
  const { message } = await rig.fact('trouble');
  t.regex(message, /Tasks wait until Redis answers/);
  while (refused <= 3) {
    rig.clock.advance(5000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.like(await rig.fact('task.ended'), { outcome: 'done' });
  t.is(executed, 1);
});

test('after an outage nobody is taken for dead who could not say that it lives', async (t) => {
  const asked: (number | null)[] = [];
  let isAway = false;
  const rig = busRig(t, async () => answered, { works: false });
  const claim = rig.store.claim.bind(rig.store) as TaskStore['claim'];
  rig.store.claim = async (request) => {
    if (isAway) throw new GantryError('registry_unavailable', 'Away.');
    asked.push(request.abandonedAfterMs);
    return claim(request);
  };
  const worker = rig.startWorker();
  /** Looks once more, `ms` later. */
  const look = async (ms: number): Promise<void> => {
    rig.clock.advance(ms);
    worker.wake();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  await look(1000);
  t.is(asked.at(-1), 10_000);
  isAway = true;
  await look(60_000);
  isAway = false;
  await look(5000);
  t.is(asked.at(-1), null);
  await look(6000);
  t.is(asked.at(-1), 10_000);
});

test('a slow server holds up no other', async (t) => {
  const never = Promise.withResolvers<never>();
  const rig = busRig(t, async ({ server }, { signal, beforeSend }) => {
    await beforeSend();
    signal.addEventListener('abort', () => never.reject(died(true)));
    return server === 'slow' ? never.promise : answered;
  });
  for (let i = 0; i < 300; i++) await rig.enqueue('slow/x');
  await rig.enqueue('quick/x');
  t.like(await rig.fact('task.ended'), { outcome: 'done' });
  never.promise.catch(() => {});
});

test('at its end it takes nothing more and waits for what is in hand', async (t) => {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const rig = busRig(t, async (_task, { beforeSend }) => {
    await beforeSend();
    reached.resolve();
    await go.promise;
    return answered;
  });
  const first = await rig.enqueue('a/b');
  await reached.promise;
  const closed = rig.worker?.close(60_000);
  const second = await rig.enqueue('a/b');
  go.resolve();
  await closed;
  t.is((await rig.store.task(first))?.state, 'done');
  t.is((await rig.store.task(second))?.state, 'queued');
});
