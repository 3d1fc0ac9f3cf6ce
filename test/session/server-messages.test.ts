import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import type { ClientMessage } from '../../orchestrator/session/index.ts';
import { notification, read, request, setUp, streamOf } from './sessions-rig.ts';

test('what the server says before its answer makes the answer a stream, in order', async (t) => {
  const { send, open, pools } = setUp(t);
  pools.play = (channel) => {
    channel.onSent = ({ id, method }) => {
      if (method === 'initialize') channel.print({ id, result: {} });
      if (method !== 'tools/call') return;
      channel.print({ method: 'notifications/message', params: { level: 'info' } });
      channel.print({ id: 0, method: 'roots/list' });
      channel.print({ id, result: {} });
    };
  };
  const messages = await read(streamOf(await send(request(7, 'tools/call'), await open())));
  t.deepEqual(
    messages.map(({ method, id }) => method ?? id),
    ['notifications/message', 'roots/list', 7],
  );
});

test('an answer of the client reaches the process once; one that nobody asked for is dropped', async (t) => {
  const { send, open, pools } = setUp(t);
  const session = await open();
  const channel = pools.opened[0]?.channel;
  channel?.print({ id: 0, method: 'roots/list' });
  const answer: ClientMessage = { kind: 'response', id: 0, answer: { result: { roots: [] } } };
  t.is((await send(answer, session)).kind, 'accepted');
  await send(answer, session);
  await send({ kind: 'response', id: 99, answer: { result: {} } }, session);
  t.deepEqual(
    channel?.sent.filter((message) => message.method === undefined),
    [{ jsonrpc: '2.0', id: 0, result: { roots: [] } }] as never,
  );
});

test('messages that belong to no call wait for the GET stream, of which there is only one', async (t) => {
  const { sessions, open, pools } = setUp(t);
  const sessionId = await open();
  const channel = pools.opened[0]?.channel;
  channel?.print({ method: 'notifications/tools/list_changed' });
  const sender = { server: 'echo', principal: 'alice', sessionId };
  const stream = sessions.listen(sender);
  t.throws(() => sessions.listen(sender), { instanceOf: GantryError });
  channel?.print({ method: 'notifications/resources/updated', params: { uri: 'x:y' } });
  sessions.end(sender);
  t.deepEqual(
    (await read(stream)).map(({ method }) => method),
    ['notifications/tools/list_changed', 'notifications/resources/updated'],
  );
});

test('what a server says before and right behind its initialize answer waits for the GET stream', async (t) => {
  const { sessions, open, pools } = setUp(t);
  pools.play = (channel) => {
    channel.onSent = ({ id, method }) => {
      if (method !== 'initialize') return;
      channel.print({ method: 'notifications/message', params: { data: 'early' } });
      channel.print({ id, result: {} });
      channel.print({ id: 0, method: 'roots/list' });
    };
  };
  const sender = { server: 'echo', principal: 'alice', sessionId: await open() };
  const stream = sessions.listen(sender);
  sessions.end(sender);
  t.deepEqual(
    (await read(stream)).map(({ method }) => method),
    ['notifications/message', 'roots/list'],
  );
});

test('a client that never listens cannot make a server fill our memory, and the server is told', async (t) => {
  const { open, pools } = setUp(t);
  const dropped: string[] = [];
  pools.facts.listen((fact) => {
    if (fact.type === 'line.dropped') dropped.push(fact.why);
  });
  await open();
  const channel = pools.opened[0]?.channel;
  for (let i = 0; i < 10; i++)
    channel?.print({ method: 'notifications/message', params: { data: 'x'.repeat(1024 * 1024) } });
  t.is(dropped.length, 7, 'three of a mebibyte and a little fit into four');
  channel?.print({ id: 9, method: 'roots/list' });
  for (let i = 0; i < 100; i++) channel?.print({ id: 100 + i, method: 'roots/list' });
  const refusals = channel?.sent.filter(({ error }) => error !== undefined) ?? [];
  t.is(refusals.length, 4, 'of a hundred and one, ninety-seven wait beside the three');
});

test('when the client has left the stream of a call, the rest waits there until it comes back', async (t) => {
  const { send, open, pools, sessions } = setUp(t);
  const sessionId = await open();
  const channel = pools.opened[0]?.channel;
  const call = send(request(1, 'stay/silent'), sessionId);
  await Promise.resolve();
  channel?.print({ method: 'notifications/message', params: { data: 1 } });
  let lastId = '';
  for await (const { id, data } of streamOf(await call)) {
    lastId = id ?? '';
    if (data !== '') break;
  }
  channel?.print({ id: 3, method: 'elicitation/create' });
  const sender = { server: 'echo', principal: 'alice', sessionId };
  const listening = sessions.listen(sender);
  const again = await sessions.resume(sender, lastId);
  sessions.end(sender);
  t.deepEqual(
    (again === null ? [] : await read(again)).map(({ id, method }) => method ?? id),
    ['elicitation/create', 1],
  );
  t.deepEqual(await read(listening), []);
});

test('a cancelled call is cancelled at the server and gets no answer', async (t) => {
  const { send, open, pools } = setUp(t);
  const session = await open();
  const call = send(request(5, 'stay/silent'), session);
  await send(notification('notifications/cancelled', { requestId: 5, reason: 'enough' }), session);
  t.deepEqual(await read(streamOf(await call)), []);
  t.like(pools.opened[0]?.channel.sent.at(-1), { method: 'notifications/cancelled' });
});
