import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { encodeOutcome } from '../../orchestrator/session/index.ts';
import { failsWith } from '../failure.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { notification, request, setUp } from './sessions-rig.ts';

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

test('a message for a process that has just died is answered with a typed error', async (t) => {
  const { send, open, pools } = setUp(t);
  const session = await open();
  pools.opened[0]?.channel.end();
  await Promise.resolve();
  await failsWith(t, send(notification('notifications/roots/list_changed'), session), 'replica_failed');
});
