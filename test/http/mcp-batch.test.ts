import test from 'ava';
import type { FakeChannel } from '../fakes/fake-channel.ts';
import { openEvents, startMcp } from './mcp-app.ts';

type Message = Record<string, unknown>;

const request = (id: unknown, method = 'tools/list', params: Message = {}): Message => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});
const notification = (method: string): Message => ({ jsonrpc: '2.0', method });

/** A process of this revision that echoes, says a word before `chatty`, and keeps `stay/silent` open. */
function speaks(version: string): (channel: FakeChannel) => void {
  return (channel) => {
    channel.onSent = ({ id, method, params }) => {
      if (id === undefined || method === undefined || method === 'stay/silent') return;
      if (method === 'initialize') return channel.print({ id, result: { protocolVersion: version } });
      if (method === 'chatty') channel.print({ method: 'notifications/message', params: { data: 'hm' } });
      channel.print({ id, result: { method, params } });
    };
  };
}

async function start(t: Parameters<typeof startMcp>[0], version = '2025-03-26') {
  const app = await startMcp(t);
  app.pools.play = speaks(version);
  const session = await app.open(version);
  const channel = app.pools.opened[0]?.channel as FakeChannel;
  return { ...app, session, channel };
}

test('a batch of requests is answered by one array, each under its own id', async (t) => {
  const { post, session } = await start(t);
  const answer = await post([request('a'), notification('notifications/initialized'), request(2)], session);
  t.is(answer.status, 200);
  t.regex(String(answer.headers['content-type']), /^application\/json/);
  t.deepEqual(
    answer.json.map(({ id, result }: Message) => [id, (result as Message).method]),
    [
      ['a', 'tools/list'],
      [2, 'tools/list'],
    ],
  );
});

test('a batch without requests is taken with 202 and reaches the server in order', async (t) => {
  const { post, session, channel } = await start(t);
  const answer = await post([notification('notifications/initialized'), notification('x/y')], session);
  t.deepEqual([answer.status, answer.text], [202, '']);
  t.deepEqual(
    channel.sent.slice(1).map(({ method }) => method),
    ['notifications/initialized', 'x/y'],
  );
});

test('when the server speaks first, one stream carries all answers and then ends', async (t) => {
  const { port, session } = await start(t);
  const stream = await openEvents(port, 'POST', '/mcp/echo', {
    headers: session,
    body: [request(1, 'chatty'), request(2)],
  });
  const messages = (await stream.rest()).map(({ data }) => JSON.parse(data));
  t.is(messages[0].method, 'notifications/message');
  t.deepEqual(
    messages.map(({ id }) => id).filter((id) => id !== undefined),
    [1, 2],
  );
});

test('a failed call of a batch is an error among the answers', async (t) => {
  const { post, session, pools, channel } = await start(t);
  const answers = post([request(1), request(2, 'stay/silent')], session);
  while (!channel.sent.some(({ method }) => method === 'stay/silent')) await new Promise(setImmediate);
  pools.opened[0]?.replica.fail({ code: 'oom', message: 'out of memory', exitCode: 137, stderr: [] });
  const { status, json } = await answers;
  t.is(status, 200);
  t.deepEqual([json[0].id, json[1].id, json[1].error.data.code], [1, 2, 'replica_failed']);
});

test('arrays stay refused in sessions of every other revision, and without a session', async (t) => {
  for (const version of ['2024-11-05', '2025-06-18', '2025-11-25']) {
    const { post, session, channel } = await start(t, version);
    const answer = await post([request(1)], session);
    t.deepEqual([answer.status, answer.json.error.code, answer.json.id], [400, -32600, null], version);
    t.is(channel.sent.length, 1);
  }
  const { post } = await start(t);
  t.like(await post([request(1, 'initialize')]), { status: 400 });
  t.is((await post([request(1)], { 'mcp-session-id': 'guessed' })).status, 404);
});

const BAD: readonly (readonly [string, unknown, RegExp])[] = [
  ['no message', [], /at least one/],
  ['101 messages', Array.from({ length: 101 }, (_, id) => request(id)), /at most 100/],
  ['initialize', [request(1), request(2, 'initialize')], /initialize/],
  ['the same id twice', [request(1), request('1'), request(1)], /have the id 1/],
  ['an array within', [[request(1)]], /array/],
  ['something that is no message', [request(1), 7], /JSON-RPC object/],
  ['an id that is null', [request(null)], /"id"/],
  ['a float as id', [request(1.5)], /./],
  ['a member twice', '[{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}]', /duplicate_key/],
];

for (const [what, body, told] of BAD) {
  test(`a batch with ${what} is refused whole, before the server hears of it`, async (t) => {
    const { post, session, channel } = await start(t);
    const answer = await post(body, session);
    t.is(answer.status, 400);
    t.is(answer.json.error.code, -32600);
    t.regex(answer.json.error.message, told);
    t.is(channel.sent.length, 1);
  });
}

test('a batch that uses the id of an open call is refused whole', async (t) => {
  const { post, session, channel, sessions } = await start(t);
  const open = post(request(1, 'stay/silent'), session).catch(() => 'ends with the test');
  while (channel.sent.length < 2) await new Promise(setImmediate);
  const answer = await post([request(2), notification('x/y'), request(1)], session);
  t.is(answer.status, 400);
  t.is(channel.sent.length, 2);
  sessions.close();
  await open;
});
