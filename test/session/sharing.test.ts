import test, { type ExecutionContext } from 'ava';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { notification, request, setUp } from './sessions-rig.ts';

/** One replica for all sessions, which takes one call at a time. */
async function oneAtATime(t: ExecutionContext) {
  const balance = { ...TEST_SPEC.balance, maxInFlight: 1 };
  const { pools, send, open } = setUp(t, { ...TEST_SPEC, sharing: 'shared', balance });
  const { replica, channel } = pools.make('echo', 'echo-1', 'pool');
  await replica.greet(1000);
  pools.pool.push(replica);
  return { send, open, channel };
}

test('under sharing shared sessions use the pool, capabilities that need attribution are withheld', async (t) => {
  const { send, pools, open } = setUp(t, { ...TEST_SPEC, sharing: 'shared' });
  for (const id of ['echo-1', 'echo-2']) {
    const { replica } = pools.make('echo', id, 'pool');
    await replica.greet(1000);
    pools.pool.push(replica);
  }
  const reply = await send(request(0, 'initialize', { protocolVersion: '2025-03-26' }), null);
  t.like(reply, {
    outcome: {
      ok: true,
      result: { protocolVersion: '2025-03-26', capabilities: { tools: {}, resources: {} } },
    },
  });
  const [a, b] = [await open('alice'), await open('bob')];
  t.is((await send(request(1, 'tools/list'), a, 'alice')).kind, 'json');
  t.is((await send(request(1, 'tools/list'), b, 'bob')).kind, 'json');
  t.deepEqual(
    pools.opened.map(({ channel }) => channel.sent.filter(({ method }) => method === 'tools/list').length),
    [1, 1],
  );
  t.like(await send(request(2, 'logging/setLevel'), a, 'alice'), {
    outcome: { ok: false, error: { code: -32601 } },
  });
});

test('under sharing principal each principal has a process of its own', async (t) => {
  const { send, pools, open } = setUp(t, { ...TEST_SPEC, sharing: 'principal' });
  await send(request(1, 'ping'), await open('alice'), 'alice');
  await send(request(1, 'ping'), await open('alice'), 'alice');
  await send(request(1, 'ping'), await open('bob'), 'bob');
  t.deepEqual(
    pools.opened.map(({ replica }) => replica.identity.id),
    ['echo-alice', 'echo-bob'],
  );
});

test('under sharing call every call has a process that nobody sees afterwards', async (t) => {
  const { send, pools, open } = setUp(t, { ...TEST_SPEC, sharing: 'call' });
  const session = await open();
  await send(request(1, 'ping'), session);
  await send(request(2, 'ping'), session);
  t.is(pools.opened.length, 3);
  t.is(pools.released.length, 3);
});

test('a flood of one session does not keep another one from its turn, of the same principal too', async (t) => {
  const { send, open, channel } = await oneAtATime(t);
  const [flooding, other] = [await open(), await open()];
  const asked: string[] = [];
  channel.onSent = ({ id, params }) => {
    asked.push(String(params?.name));
    setImmediate(() => channel.print({ id, result: {} }));
  };
  const flood = Array.from({ length: 20 }, (_, id) =>
    send(request(id, 'tools/call', { name: 'flood' }), flooding),
  );
  const call = send(request(1, 'tools/call', { name: 'other' }), other);
  await Promise.all([...flood, call]);
  t.is(asked.length, 21);
  t.true(asked.indexOf('other') <= 2, asked.join(' '));
});

test('a call that is cancelled while it waits for a replica is never sent', async (t) => {
  const { send, open, channel } = await oneAtATime(t);
  const session = await open();
  channel.onSent = () => {};
  const busy = send(request(2, 'tools/call', { name: 'busy' }), session);
  const waiting = send(request(3, 'tools/call', { name: 'waiting' }), session);
  await send(notification('notifications/cancelled', { requestId: 3 }), session);
  t.is((await waiting).kind, 'stream', 'and gets no answer');
  await send(notification('notifications/cancelled', { requestId: 2 }), session);
  await busy;
  const names = channel.sent.flatMap(({ method, params }) => (method === 'tools/call' ? [params?.name] : []));
  t.deepEqual(names, ['busy']);
});
