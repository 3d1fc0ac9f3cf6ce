import test from 'ava';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { startMcp } from './mcp-app.ts';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

test('an unknown method is the server’s to refuse: 200 with -32601, for 404 would end the session', async (t) => {
  const { open, post, pools } = await startMcp(t);
  const session = await open('2025-06-18');
  const channel = pools.opened[0]?.channel;
  if (channel !== undefined) {
    channel.onSent = ({ id }) => channel.print({ id, error: { code: -32601, message: 'Method not found' } });
  }
  const answer = await post({ ...PING, method: 'no/such' }, session);
  t.deepEqual([answer.status, answer.json.id, answer.json.error.code], [200, 1, -32601]);
});

test('the session id of another principal is not there: 404 for a message, a stream, a resumption and an end', async (t) => {
  const { ask, post, sessions } = await startMcp(t, TEST_SPEC, true);
  const begin = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } };
  const alice = { authorization: 'Bearer call-token' };
  const opened = await post(begin, alice);
  const id = String(opened.headers['mcp-session-id']);
  const stolen = { authorization: 'Bearer admin-token', 'mcp-session-id': id };
  const answers = [
    await post(PING, stolen),
    await ask('GET', '/mcp/echo', { headers: stolen }),
    await ask('GET', '/mcp/echo', { headers: { ...stolen, 'last-event-id': 'a.1' } }),
    await ask('DELETE', '/mcp/echo', { headers: stolen }),
  ];
  t.deepEqual(
    answers.map(({ status, json }) => [status, json.error.data.code]),
    answers.map(() => [404, 'session_not_found']),
  );
  t.is((await post(PING, { ...alice, 'mcp-session-id': id })).status, 200);
  t.is(sessions.count('echo'), 1);
});
