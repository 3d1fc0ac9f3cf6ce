import test from 'ava';
import type { FakeChannel } from '../fakes/fake-channel.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { openEvents, startMcp } from './mcp-app.ts';

const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'slow' } };

/** A process that keeps a call open; `say` and `answer` are the test's. */
function playsSlowly(channel: FakeChannel, version: string): { say(text: string): void; answer(): void } {
  let callId: unknown;
  channel.onSent = ({ id, method }) => {
    if (method === 'initialize') channel.print({ id, result: { protocolVersion: version } });
    if (method !== 'tools/call') return;
    callId = id;
    channel.print({ method: 'notifications/message', params: { data: 'begun' } });
  };
  return {
    say: (data) => channel.print({ method: 'notifications/message', params: { data } }),
    answer: () => channel.print({ id: callId, result: { done: true } }),
  };
}

function play(version: string) {
  const played: ReturnType<typeof playsSlowly>[] = [];
  return {
    play: (channel: FakeChannel) => void played.push(playsSlowly(channel, version)),
    process: () => played[0] as ReturnType<typeof playsSlowly>,
  };
}

const textOf = (data: string): unknown => {
  const message = JSON.parse(data);
  return message.params?.data ?? message.result;
};

test('a call goes on while its client is away, and the client gets what it missed, once', async (t) => {
  const { pools, port, open } = await startMcp(t);
  const { play: playing, process } = play('2025-11-25');
  pools.play = playing;
  const session = await open('2025-11-25');
  const call = await openEvents(port, 'POST', '/mcp/echo', { headers: session, body: CALL });
  const priming = await call.next();
  t.is(priming?.data, '');
  t.regex(priming?.id ?? '', /^[\w-]+\.0$/);
  const begun = await call.next();
  t.is(textOf(begun?.data ?? ''), 'begun');
  call.leave();

  process().say('one');
  process().say('two');
  const again = await openEvents(port, 'GET', '/mcp/echo', {
    headers: { ...session, 'last-event-id': begun?.id ?? '' },
  });
  t.is(again.status, 200);
  process().say('three');
  process().answer();
  const events = (await again.rest()).filter(({ data }) => data !== '');
  t.deepEqual(
    events.map(({ data }) => textOf(data)),
    ['one', 'two', 'three', { done: true }],
  );

  const over = await openEvents(port, 'GET', '/mcp/echo', {
    headers: { ...session, 'last-event-id': events.at(-1)?.id ?? '' },
  });
  t.is(over.status, 204);
});

test('an answer that came while the client was away waits for it', async (t) => {
  const { pools, port, open } = await startMcp(t);
  const { play: playing, process } = play('2025-06-18');
  pools.play = playing;
  const session = await open('2025-06-18');
  const call = await openEvents(port, 'POST', '/mcp/echo', { headers: session, body: CALL });
  const begun = await call.next();
  t.is(textOf(begun?.data ?? ''), 'begun', 'no event without data for a client of this revision');
  call.leave();
  process().answer();
  const headers = { ...session, 'last-event-id': begun?.id ?? '' };
  const again = await openEvents(port, 'GET', '/mcp/echo', { headers });
  t.deepEqual(
    (await again.rest()).map(({ data }) => textOf(data)),
    [{ done: true }],
  );
});

test('an event id of another session, or none at all, is refused with 400', async (t) => {
  const { pools, port, open, ask } = await startMcp(t, TEST_SPEC);
  pools.play = play('2025-11-25').play;
  const [mine, other] = [await open('2025-11-25'), await open('2025-11-25')];
  const call = await openEvents(port, 'POST', '/mcp/echo', { headers: other, body: CALL });
  const foreign = (await call.next())?.id ?? '';
  call.leave();
  for (const id of [foreign, 'x', `${foreign}0`, '1.1', `${foreign}.1`]) {
    const answer = await ask('GET', '/mcp/echo', { headers: { ...mine, 'last-event-id': id } });
    t.is(answer.status, 400, id);
    t.is(answer.json.error.code, -32600);
    t.regex(answer.json.error.message, /Last-Event-ID/);
  }
});

test('a second GET stream is 409, one that comes back takes the place of its own', async (t) => {
  const { pools, port, open, ask } = await startMcp(t);
  const session = await open('2025-06-18');
  const channel = pools.opened[0]?.channel;
  const first = await openEvents(port, 'GET', '/mcp/echo', { headers: session });
  channel?.print({ method: 'notifications/tools/list_changed' });
  t.is((await first.next())?.data, '');
  const seen = await first.next();
  t.is((await ask('GET', '/mcp/echo', { headers: session })).status, 409);
  const again = await openEvents(port, 'GET', '/mcp/echo', {
    headers: { ...session, 'last-event-id': seen?.id ?? '' },
  });
  t.deepEqual(await first.rest(), []);
  channel?.print({ method: 'notifications/prompts/list_changed' });
  t.is((await again.next())?.data, '');
  t.regex((await again.next())?.data ?? '', /prompts\/list_changed/);
  again.leave();
});

test('when the process dies a streamed call ends with a typed error, then its stream, then the session', async (t) => {
  const { pools, port, open, ask } = await startMcp(t);
  pools.play = play('2025-11-25').play;
  const session = await open('2025-11-25');
  const call = await openEvents(port, 'POST', '/mcp/echo', { headers: session, body: CALL });
  const listening = await openEvents(port, 'GET', '/mcp/echo', { headers: session });
  const id = (await call.next())?.id ?? '';
  await call.next();
  pools.opened[0]?.replica.fail({ code: 'oom', message: 'out of memory', exitCode: 137, stderr: [] });
  const [error, ...after] = await call.rest();
  t.like(JSON.parse(error?.data ?? ''), {
    id: 7,
    error: { data: { code: 'replica_failed', exitCode: 137 } },
  });
  t.deepEqual(after, []);
  await listening.rest();
  const headers = { ...session, 'last-event-id': id };
  t.is((await ask('GET', '/mcp/echo', { headers })).status, 404);
  t.is((await ask('POST', '/mcp/echo', { headers: session, body: CALL })).status, 404);
});
