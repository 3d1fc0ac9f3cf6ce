import test from 'ava';
import { sessionKey } from '../../orchestrator/kernel/index.ts';
import type { ClientMessage } from '../../orchestrator/session/index.ts';
import { failsWith } from '../failure.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { opened, request } from './sessions-rig.ts';
import { CALL, channelOf, initialize, take, textsOf, underway, world } from './takeover-rig.ts';

test('a session is written down before its client knows it, by a hash of its id, and goes on in the next process', async (t) => {
  const { start, restart, records } = world();
  const first = start();
  const id = opened(await first.send(initialize, null));
  t.deepEqual([...records.keys()], [sessionKey(id)]);
  t.false(JSON.stringify([...records]).includes(id));
  t.deepEqual(first.pools.kept, ['echo-s-0']);
  const next = await restart('echo-s-0');
  next.channel.onSent = (message) => next.channel.print({ id: message.id, result: { again: true } });
  const reply = await next.send(request(1, 'tools/call', CALL), id);
  t.true(reply.kind === 'json' && reply.outcome.ok);
  t.deepEqual(
    next.channel.sent.map(({ method }) => method),
    ['tools/call'],
    'it is not greeted again',
  );
  t.true(Number(next.channel.sent[0]?.id) > 1000, 'ids go on above those used before');
  await failsWith(t, next.send(request(2, 'ping'), id, 'mallory'), 'session_not_found');
  await failsWith(t, next.send(request(2, 'ping'), 'guessed'), 'session_not_found');
});

test('a polite end leaves sessions to the next process: nothing of them is released or forgotten', async (t) => {
  const { start, restart, records } = world();
  const first = start();
  const id = opened(await first.send(initialize, null));
  first.sessions.close();
  t.deepEqual(first.pools.released, []);
  t.is(records.size, 1);
  const next = await restart('echo-s-0');
  next.sessions.end({ server: 'echo', principal: 'alice', sessionId: id });
  await null;
  t.deepEqual(
    next.pools.released.map(({ id: replica }) => replica),
    ['echo-s-0'],
  );
  t.is(records.size, 0);
});

test('an open call on a stream is answered in the next process, on the stream its client knows', async (t) => {
  const { start, restart, log } = world();
  const { id, callId, event } = await underway(start());
  t.is((await log.notes()).size, 1);
  const next = await restart('echo-s-0');
  const sender = { server: 'echo', principal: 'alice', sessionId: id };
  next.channel.print({ method: 'notifications/progress', params: { progressToken: callId, progress: 2 } });
  const stream = await next.sessions.resume(sender, event?.id ?? '');
  next.channel.print({ id: callId, result: { done: true } });
  const events = await take(stream, 2);
  t.deepEqual(textsOf(events), [2, { done: true }]);
  t.like(JSON.parse(events[0]?.data ?? ''), { params: { progressToken: 'mine' } });
  t.is((await log.notes()).size, 0);
  t.deepEqual(next.channel.sent, [], 'it is not sent again');
});

test('what its client had from a process that could not write it down is not said to it twice', async (t) => {
  const { start, restart, log } = world();
  const { id, callId, event } = await underway(start());
  const [stream = ''] = (event?.id ?? '').split('.');
  log.drop(stream); // as if the process had ended between the two
  const next = await restart('echo-s-0');
  const again = await next.sessions.resume(
    { server: 'echo', principal: 'alice', sessionId: id },
    event?.id ?? '',
  );
  next.channel.print({ method: 'notifications/progress', params: { progressToken: callId, progress: 1 } });
  next.channel.print({ method: 'notifications/progress', params: { progressToken: callId, progress: 2 } });
  t.deepEqual(textsOf(await take(again, 1)), [2]);
});

test('a call that did not reach its process is not waited for: it did not run', async (t) => {
  const { start, restart } = world();
  const { id, event, line } = await underway(start());
  const next = await restart('echo-s-0', line - 1);
  const stream = await next.sessions.resume(
    { server: 'echo', principal: 'alice', sessionId: id },
    event?.id ?? '',
  );
  t.deepEqual(textsOf(await take(stream, 1)), ['replica_failed']);
});

test('an answer that was written down before the end is there after it, and its stream is over', async (t) => {
  const { start, restart } = world();
  const { id, callId, channel, event } = await underway(start());
  channel.print({ id: callId, result: { done: true } });
  await new Promise(setImmediate);
  const next = await restart('echo-s-0');
  const sender = { server: 'echo', principal: 'alice', sessionId: id };
  const stream = await next.sessions.resume(sender, event?.id ?? '');
  t.deepEqual(textsOf(await take(stream, 9)), [{ done: true }]);
  await failsWith(
    t,
    next.sessions.resume(sender, `${event?.id?.split('-')[0]}-ffffffff.1`),
    'invalid_request',
  );
});

test('a question from before is answered once after the restart', async (t) => {
  const { start, restart, log } = world();
  const first = start();
  const id = opened(await first.send(initialize, null));
  channelOf(first).print({ id: 7, method: 'roots/list' });
  const next = await restart('echo-s-0');
  const answer: ClientMessage = { kind: 'response', id: 7, answer: { result: { roots: [] } } };
  await next.send(answer, id);
  await next.send(answer, id);
  t.deepEqual(
    next.channel.sent.map((message) => message.id),
    [7],
  );
  t.is((await log.notes()).size, 0);
});

test('where its process was not found a session is over, and so is what was open in it', async (t) => {
  const { start, restart, records, log } = world();
  const { id } = await underway(start());
  const next = await restart(null);
  await new Promise(setImmediate);
  await failsWith(t, next.send(request(1, 'ping'), id), 'session_not_found');
  t.is(records.size, 0);
  t.is((await log.notes()).size, 0);
});

test('a session that nobody has used for too long is not taken over, one that was used is', async (t) => {
  const { start, restart, records, clock } = world();
  const id = opened(await start().send(initialize, null));
  clock.advance(TEST_SPEC.timeouts.sessionIdleMs + 60_000);
  const next = await restart('echo-s-0');
  await failsWith(t, next.send(request(1, 'ping'), id), 'session_not_found');
  t.is(records.size, 0);
});

test('a session on shared processes needs none of them to go on', async (t) => {
  const { start, restart } = world({ ...TEST_SPEC, sharing: 'principal' });
  const id = opened(await start().send(initialize, null));
  const next = await restart(null);
  const reply = await next.send(request(1, 'tools/list'), id);
  t.true(reply.kind === 'json' && reply.outcome.ok);
});

test('a session on a server that is gone by now is forgotten, and costs the others nothing', async (t) => {
  const { start, restart, records } = world();
  const id = opened(await start().send(initialize, null));
  const record = [...records.values()][0];
  if (record === undefined) throw new Error('a record was expected');
  records.clear();
  records.set('of-a-server-that-is-gone', { ...record, server: 'gone', replica: 'gone-s-0' });
  records.set(sessionKey(id), record);
  const next = await restart('echo-s-0');
  next.channel.onSent = (message) => next.channel.print({ id: message.id, result: {} });
  const reply = await next.send(request(1, 'tools/call', CALL), id);
  t.true(reply.kind === 'json' && reply.outcome.ok);
  t.deepEqual([...records.keys()], [sessionKey(id)]);
});

test('how far processes were heard is not of sessions: it outlives every restart in which nothing new is said', async (t) => {
  const { start, restart, log } = world();
  const { id } = await underway(start());
  log.note('heard/echo-s-0', 41);
  const ofSession = [...(await log.notes()).keys()];
  await restart('echo-s-0');
  await restart('echo-s-0');
  t.deepEqual([...(await log.notes()).keys()], ofSession);
  const last = await restart(null);
  await new Promise(setImmediate);
  await failsWith(t, last.send(request(1, 'ping'), id), 'session_not_found');
  t.deepEqual([...(await log.notes())], [['heard/echo-s-0', 41]]);
});
