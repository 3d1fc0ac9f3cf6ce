import test from 'ava';
import { type CallOptions, Link, type ServerMessage } from '../../orchestrator/channel/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { failsWith } from '../failure.ts';
import { FakeChannel } from '../fakes/fake-channel.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function setUp() {
  const channel = new FakeChannel();
  const clock = new FakeClock();
  const dropped: string[] = [];
  const link = new Link({
    replica: 'echo-1',
    channel,
    clock,
    onDropped: (why, count) => dropped.push(...Array<string>(count).fill(why)),
    deadCallError: async () => new GantryError('replica_failed', 'it died'),
  });
  return { channel, clock, dropped, link };
}

const options: CallOptions = { callTimeoutMs: 1000, maxCallMs: 10_000 };

function tokenOf(sent: FakeChannel['sent'][number]): unknown {
  const meta = sent.params?._meta as { progressToken?: unknown } | undefined;
  return meta?.progressToken;
}

test('two calls never share an id, and each gets its own answer whatever the order', async (t) => {
  const { channel, link } = setUp();
  const first = link.call('tools/call', { name: 'a' }, options);
  const second = link.call('tools/call', { name: 'b' }, options);
  const [a, b] = channel.sent;
  t.not(a?.id, b?.id);
  channel.print({ id: b?.id, result: 'for b' });
  channel.print({ id: a?.id, result: 'for a' });
  t.deepEqual(
    [await first, await second].map((outcome) => outcome.ok && outcome.result),
    ['for a', 'for b'],
  );
  t.is(link.callsInFlight, 0);
});

test('an error of the server is an answer', async (t) => {
  const { channel, link } = setUp();
  const call = link.call('x', undefined, options);
  channel.print({ id: channel.sent[0]?.id, error: { code: -32601, message: 'no', data: 1 } });
  t.deepEqual(await call, { ok: false, error: { code: -32601, message: 'no', data: 1 } });
});

test('progress comes back under the token of the caller, to the call that asked', async (t) => {
  const { channel, link, dropped } = setUp();
  const heard: [string, ServerMessage][] = [];
  const start = (name: string) =>
    link.call(
      'tools/call',
      { name, _meta: { progressToken: 'same' } },
      { ...options, onMessage: (m) => heard.push([name, m]) },
    );
  void start('a');
  void start('b');
  const tokens = channel.sent.map(tokenOf);
  t.is(new Set(tokens).size, 2);
  channel.print({ method: 'notifications/progress', params: { progressToken: tokens[1], progress: 1 } });
  channel.print({ method: 'notifications/progress', params: { progressToken: 'same', progress: 1 } });
  t.deepEqual(
    heard.map(([name, message]) => [name, message.params]),
    [['b', { progressToken: 'same', progress: 1 }]],
  );
  await Promise.resolve(); // what was dropped is told together, in the next turn
  t.deepEqual(dropped, ['unknown_progress_token']);
});

test('without correlation a message goes to the newest call that takes it, a change to the listener', (t) => {
  const { channel, link } = setUp();
  const heard: string[] = [];
  const takes = (name: string) => ({
    ...options,
    takesUnattributed: true,
    onMessage: () => heard.push(name),
  });
  void link.call('tools/call', {}, takes('old'));
  void link.call('tools/call', {}, takes('new'));
  link.listen(() => heard.push('listener'));
  channel.print({ method: 'notifications/message', params: { level: 'info' } });
  channel.print({ id: 0, method: 'elicitation/create', params: {} });
  channel.print({ method: 'notifications/tools/list_changed' });
  t.deepEqual(heard, ['new', 'new', 'listener']);
});

test('under sharing nobody gets a message without correlation: it is dropped and counted, a ping is answered', async (t) => {
  const { channel, link, dropped } = setUp();
  void link.call('tools/call', {}, { ...options, onMessage: () => t.fail('a stranger heard it') });
  channel.print({ method: 'notifications/message', params: {} });
  channel.print({ id: 5, method: 'sampling/createMessage', params: {} });
  channel.print({ id: 6, method: 'ping' });
  await Promise.resolve(); // what was dropped is told together, in the next turn
  t.deepEqual(dropped, ['unattributed_notification', 'unattributed_request']);
  t.like(channel.sent[1], { id: 5, error: { code: -32601 } });
  t.like(channel.sent[2], { id: 6, result: {} });
});

test('silence ends a call with call_timeout and tells the server; every message of the call starts the count anew', async (t) => {
  const { channel, clock, link } = setUp();
  const call = link.call('tools/call', { _meta: { progressToken: 1 } }, { ...options, onMessage: () => {} });
  clock.advance(900);
  channel.print({
    method: 'notifications/progress',
    params: { progressToken: channel.sent[0]?.id, progress: 1 },
  });
  clock.advance(900);
  t.is(link.callsInFlight, 1);
  clock.advance(200);
  await failsWith(t, call, 'call_timeout');
  t.like(channel.sent.at(-1), {
    method: 'notifications/cancelled',
    params: { requestId: channel.sent[0]?.id },
  });
});

test('maxCallMs ends even a call that keeps talking', async (t) => {
  const { channel, clock, link } = setUp();
  const call = link.call('tools/call', { _meta: { progressToken: 1 } }, { ...options, onMessage: () => {} });
  for (let i = 0; i < 20; i++) {
    channel.print({
      method: 'notifications/progress',
      params: { progressToken: channel.sent[0]?.id, progress: i },
    });
    clock.advance(900);
  }
  await failsWith(t, call, 'call_timeout');
});

test('a withdrawn call is cancelled at the server once and frees its place; its late answer is dropped', async (t) => {
  const { channel, link, dropped, clock } = setUp();
  const abort = new AbortController();
  const call = link.call('tools/call', {}, { ...options, signal: abort.signal });
  abort.abort();
  await failsWith(t, call, 'cancelled');
  t.is(link.callsInFlight, 0);
  t.is(clock.waiting, 0);
  channel.print({ id: channel.sent[0]?.id, result: {} });
  await Promise.resolve(); // what was dropped is told together, in the next turn
  t.deepEqual(dropped, ['unknown_id']);
  t.is(channel.sent.filter((sent) => sent.method === 'notifications/cancelled').length, 1);
});

test('a call that was withdrawn before it was sent is not sent, and ends like any other', async (t) => {
  const { channel, link } = setUp();
  const signal = AbortSignal.abort('the client left');
  await failsWith(t, link.call('tools/call', {}, { ...options, signal }), 'cancelled');
  t.deepEqual(channel.sent, []);
});

test('when the channel ends every open call ends with the reason, and new ones are refused as not run', async (t) => {
  const { channel, link } = setUp();
  const calls = [link.call('a', {}, options), link.call('b', {}, options)];
  channel.end();
  for (const call of calls) await failsWith(t, call, 'replica_failed');
  await link.over;
  t.false(link.open);
  const error = await t.throwsAsync(link.call('c', {}, options), { instanceOf: GantryError });
  t.deepEqual((error as GantryError).detail, { mayHaveRun: false });
});

test('idle waits for the last call, or for the deadline', async (t) => {
  const { channel, clock, link } = setUp();
  const call = link.call('a', {}, options);
  let idle = false;
  const waiting = link.idle(500).then(() => (idle = true));
  await Promise.resolve();
  t.false(idle);
  channel.print({ id: channel.sent[0]?.id, result: {} });
  await Promise.all([call, waiting]);
  void link.call('b', {}, options).catch(() => 'ends with the test');
  const late = link.idle(500);
  clock.advance(500);
  await t.notThrowsAsync(late);
});

test('what is said to a subscription reaches its call and no other, and is dropped when there is none', async (t) => {
  const { channel, link, dropped } = setUp();
  const heard: unknown[] = [];
  const listen = () => {
    const place = heard.length;
    heard.push(null);
    const onMessage = ({ params }: ServerMessage): void => {
      heard[place] = params?.uri;
    };
    void link.call('subscriptions/listen', undefined, { ...options, onMessage });
  };
  listen();
  listen();
  const tell = (id: unknown, uri: string): void => {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
    channel.print({ method: 'notifications/resources/updated', params: { uri, _meta } });
  };
  tell(channel.sent[0]?.id, 'a');
  tell(channel.sent[1]?.id, 'b');
  tell(99, 'c');
  t.deepEqual(heard, ['a', 'b']);
  await Promise.resolve(); // what was dropped is told together, in the next turn
  t.deepEqual(dropped, ['unknown_subscription']);
});

test('a process that answers nobody collects only so many calls, a further one was not sent', async (t) => {
  const { channel, link } = setUp();
  for (let i = 0; i < 1024; i++) void link.call('a', {}, options).catch(() => 'ends with the test');
  await failsWith(t, link.call('b', {}, options), 'queue_full');
  t.is(channel.sent.length, 1024);
});

test('a process that does not read its stdin holds only so much of ours', async (t) => {
  const { channel, link } = setUp();
  const stuck = Promise.withResolvers<void>();
  channel.send = () => stuck.promise;
  for (let i = 0; i < 5; i++)
    void link.call('a', { x: 'x'.repeat(4 * 1024 * 1024) }, options).catch(() => 'ends with the test');
  await failsWith(t, link.call('b', {}, options), 'queue_full');
  stuck.resolve();
  await stuck.promise;
});
