import test, { type ExecutionContext } from 'ava';
import { type ErrorCode, GantryError, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import {
  type ClientMessage,
  encodeOutcome,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
  type Reply,
  Sessions,
} from '../../orchestrator/session/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testEndpoints } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';

const NEVER = new AbortController().signal;

function setUp(t: ExecutionContext, spec: ServerSpec = TEST_SPEC) {
  const pools = new FakePools(spec);
  const clock = new FakeClock();
  const sessions = new Sessions({
    endpoints: testEndpoints(testRouter(pools), pools, clock),
    clock,
    facts: pools.facts,
    log: new MemoryEventLog({ clock }),
    encodeError: (id, error) => JSON.stringify({ id, error: (error as GantryError).code }),
  });
  t.teardown(() => sessions.close());
  const send = (message: ClientMessage, sessionId: string | null, principal = 'alice'): Promise<Reply> =>
    sessions.take({ server: spec.name, principal, sessionId }, message, () => NEVER);
  const open = async (principal = 'alice'): Promise<string> => {
    const reply = await send(
      request(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: { roots: {} } }),
      null,
      principal,
    );
    if (reply.kind === 'accepted' || reply.sessionId === null) throw new Error('no session');
    return reply.sessionId;
  };
  return { pools, clock, sessions, send, open };
}

function request(id: string | number, method: string, params: Record<string, unknown> = {}): ClientMessage {
  return { kind: 'request', id, method, params };
}

function notification(method: string, params: Record<string, unknown> = {}): ClientMessage {
  return { kind: 'notification', method, params };
}

async function failsWith(t: ExecutionContext, promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: GantryError });
  t.is((error as GantryError).code, code);
}

async function read(stream: OutStream<OutEvent>): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  for await (const { data } of stream) if (data !== '') messages.push(JSON.parse(data));
  return messages;
}

function streamOf(reply: Reply): OutStream<OutEvent> {
  if (reply.kind !== 'stream') throw new Error(`a stream was expected, not ${reply.kind}`);
  return reply.stream;
}

test('the initialize of the client reaches the process as it is, and the answer comes back with a session id', async (t) => {
  const { pools, open, sessions } = setUp(t);
  const id = await open();
  t.regex(id, /^[\x21-\x7e]{16,}$/);
  t.deepEqual(pools.opened[0]?.channel.sent[0]?.params, {
    protocolVersion: '2025-06-18',
    capabilities: { roots: {} },
  });
  t.is(sessions.count('echo'), 1);
});

test('a call is answered as JSON with the exact text of the result under the id of the client', async (t) => {
  const { send, open, pools } = setUp(t);
  pools.play = (channel) => {
    channel.onSent = ({ id, method }) => {
      if (method === 'initialize') channel.print({ id, result: {} });
      else if (id !== undefined)
        channel.print(`{"jsonrpc":"2.0","id":${id},"result":{"n":9007199254740993}}`);
    };
  };
  const reply = await send(request('x', 'tools/call'), await open());
  t.true(
    reply.kind === 'json' &&
      encodeOutcome('x', reply.outcome) === '{"jsonrpc":"2.0","id":"x","result":{"n":9007199254740993}}',
  );
});

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

test('a cancelled call is cancelled at the server and gets no answer', async (t) => {
  const { send, open, pools } = setUp(t);
  const session = await open();
  const call = send(request(5, 'stay/silent'), session);
  await send(notification('notifications/cancelled', { requestId: 5, reason: 'enough' }), session);
  t.deepEqual(await read(streamOf(await call)), []);
  t.like(pools.opened[0]?.channel.sent.at(-1), { method: 'notifications/cancelled' });
});

test('a session belongs to its principal and its server: for others it is not there', async (t) => {
  const { send, open, sessions } = setUp(t);
  const session = await open('alice');
  await failsWith(t, send(request(1, 'ping'), session, 'mallory'), 'session_not_found');
  await failsWith(t, send(request(1, 'ping'), 'guessed'), 'session_not_found');
  await failsWith(t, send(request(1, 'ping'), null), 'invalid_request');
  t.throws(() => sessions.end({ server: 'echo', principal: 'mallory', sessionId: session }), {
    instanceOf: GantryError,
  });
  t.is((await send(request(1, 'ping'), session)).kind, 'json');
});

test('the same id twice at once is refused, later it is fine', async (t) => {
  const { send, open } = setUp(t);
  const session = await open();
  void send(request(1, 'stay/silent'), session).catch(() => 'ends with the test');
  await failsWith(t, send(request(1, 'ping'), session), 'invalid_request');
  t.is((await send(request(2, 'ping'), session)).kind, 'json');
  t.is((await send(request(2, 'ping'), session)).kind, 'json');
});

test('when the process dies open calls end with an error, then the session is gone', async (t) => {
  const { send, open, pools, sessions } = setUp(t);
  const session = await open();
  const call = send(request(1, 'stay/silent'), session);
  const replica = pools.opened[0]?.replica;
  replica?.fail({ code: 'oom', message: 'out of memory', exitCode: 137, stderr: [] });
  const error = (await t.throwsAsync(call, { instanceOf: GantryError })) as GantryError;
  t.like(error, { code: 'replica_failed', detail: { reason: 'oom', exitCode: 137, mayHaveRun: true } });
  await replica?.over;
  await failsWith(t, send(request(2, 'ping'), session), 'session_not_found');
  t.is(sessions.count('echo'), 0);
});

test('DELETE ends the session, its calls with an error, and its replica', async (t) => {
  const { send, open, pools, sessions } = setUp(t);
  const sessionId = await open();
  const call = send(request(1, 'stay/silent'), sessionId);
  sessions.end({ server: 'echo', principal: 'alice', sessionId });
  await failsWith(t, call, 'session_not_found');
  t.deepEqual(
    pools.released.map(({ why }) => why),
    ['ended by the client'],
  );
});

test('an idle session is ended, one with an open call is not', async (t) => {
  const { send, open, clock, sessions } = setUp(t);
  await open();
  const busy = await open();
  void send(request(1, 'stay/silent'), busy).catch(() => 'ends with the test');
  clock.advance(TEST_SPEC.timeouts.sessionIdleMs + 1000);
  t.is(sessions.count('echo'), 1);
});

test('a refused handshake makes no session and gives the replica back', async (t) => {
  const { send, pools, sessions } = setUp(t);
  pools.play = (channel) => {
    channel.onSent = ({ id }) => channel.print({ id, error: { code: -32602, message: 'no' } });
  };
  const reply = await send(request(0, 'initialize'), null);
  t.like(reply, { kind: 'json', sessionId: null, outcome: { ok: false } });
  t.is(sessions.count('echo'), 0);
  t.is(pools.released.length, 1);
});

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
  const shared = { ...TEST_SPEC, sharing: 'shared' as const };
  const { send, pools, open } = setUp(t, { ...shared, balance: { ...shared.balance, maxInFlight: 1 } });
  const { replica, channel } = pools.make('echo', 'echo-1', 'pool');
  await replica.greet(1000);
  pools.pool.push(replica);
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
  const shared = { ...TEST_SPEC, sharing: 'shared' as const };
  const { send, pools, open } = setUp(t, { ...shared, balance: { ...shared.balance, maxInFlight: 1 } });
  const { replica, channel } = pools.make('echo', 'echo-1', 'pool');
  await replica.greet(1000);
  pools.pool.push(replica);
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

test('a message for a process that has just died is answered with a typed error', async (t) => {
  const { send, open, pools } = setUp(t);
  const session = await open();
  pools.opened[0]?.channel.end();
  await Promise.resolve();
  await failsWith(t, send(notification('notifications/roots/list_changed'), session), 'replica_failed');
});
