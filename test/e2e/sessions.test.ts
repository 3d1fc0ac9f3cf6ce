import test from 'ava';
import { containersOf, server, textOf } from './harness.ts';
import { initializeRequest, McpSession, openSession, postMcp, toolCall } from './mcp-session.ts';
import { readyServer } from './own-server.ts';
import { until } from './until.ts';

test('initialize over HTTP gives a session id of visible ASCII and what the server said', async (t) => {
  const session = await openSession(t, 'plain');
  t.regex(session.id, /^[\x21-\x7e]{22,}$/);
  const { result, id } = session.initialized;
  t.is(id, 'init');
  t.is(result?.protocolVersion, '2025-11-25');
  t.like(result?.serverInfo, { name: 'fixture' });
});

for (const version of ['2025-03-26', '2025-06-18', '2025-11-25']) {
  test(`a client of revision ${version} is served in that revision`, async (t) => {
    const session = await openSession(t, 'everything', { version });
    t.is(session.version, version);
    const answer = await session.call(0, 'echo', { message: version });
    t.is(answer.id, 0);
    t.is(textOf(answer.result), `Echo: ${version}`);
  });
}

test('initialize with the revision without sessions is answered with a revision that has them', async (t) => {
  const session = await openSession(t, 'everything', { version: '2026-07-28' });
  t.is(session.version, '2025-11-25');
});

test('an unknown MCP-Protocol-Version header is refused with 400', async (t) => {
  const session = await openSession(t, 'plain');
  const answer = await session.post(toolCall(1, 'echo'), { 'mcp-protocol-version': '1999-01-01' });
  t.is(answer.status, 400);
});

test('two sessions have a container each and do not see each other', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const [one, other] = [await openSession(t, name), await openSession(t, name)];
  t.not(one.id, other.id);
  const hosts = await Promise.all(
    [one, other].map(async (s) => textOf((await s.call(1, 'hostname')).result)),
  );
  t.not(hosts[0], hosts[1]);
  await one.call(2, 'remember', { text: 'secret' });
  t.is(textOf((await other.call(2, 'remember', { text: 'mine' })).result), 'mine');
  t.is(textOf((await one.call(3, 'remember', { text: 'more' })).result), 'secret,more');
});

test('two clients that use the same request ids at the same time get their own answers', async (t) => {
  const [one, other] = [await openSession(t, 'plain'), await openSession(t, 'plain')];
  const calls = Array.from({ length: 20 }, (_, id) => id);
  const ask = (session: McpSession, who: string) =>
    Promise.all(
      calls.map(async (id) => textOf((await session.call(id, 'echo', { text: `${who}-${id}` })).result)),
    );
  const [ones, others] = await Promise.all([ask(one, 'one'), ask(other, 'other')]);
  t.deepEqual(
    ones,
    calls.map((id) => `one-${id}`),
  );
  t.deepEqual(
    others,
    calls.map((id) => `other-${id}`),
  );
});

test('DELETE ends the session and its container, and whoever comes after gets 404', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const session = await openSession(t, name);
  const held = (await containersOf(name)).filter((one) => one.heldBy === 'session');
  t.is(held.length, 1);
  const ended = await session.end();
  t.true(ended.status === 204 || ended.status === 200);
  const after = await session.post(toolCall(1, 'echo'));
  t.is(after.status, 404);
  t.like(JSON.parse(after.text), { id: 1, error: { data: { code: 'session_not_found' } } });
  await until('the container is gone', async () =>
    (await containersOf(name)).every((one) => one.heldBy === 'pool'),
  );
});

test('a request without a session is 400, and one with an unknown session 404', async (t) => {
  const without = await postMcp('plain', toolCall(7, 'echo'));
  t.is(without.status, 400);
  t.is(JSON.parse(without.text).id, 7);
  const unknown = await postMcp('plain', toolCall(8, 'echo'), {
    'mcp-session-id': 'never-was-a-session-0000000',
  });
  t.is(unknown.status, 404);
  t.is(JSON.parse(unknown.text).error.data.code, 'session_not_found');
});

test('a session of one server is unknown to another', async (t) => {
  const session = await openSession(t, 'plain');
  const elsewhere = new McpSession('everything', session.id, session.version, session.initialized);
  t.is((await elsewhere.post(toolCall(1, 'echo'))).status, 404);
});

test('sessions beyond maxSessions are refused with 503 and Retry-After, and one that ends makes room', async (t) => {
  const name = await readyServer(t, 'plain.py', { maxSessions: 2 });
  const first = await openSession(t, name);
  await openSession(t, name);
  const refused = await postMcp(name, initializeRequest());
  t.is(refused.status, 503);
  t.regex(String(refused.headers['retry-after']), /^\d+$/);
  t.like(JSON.parse(refused.text), { id: 'init', error: { code: -32000, data: { code: 'no_replica' } } });
  await first.end();
  await until('room for one more', () => openSession(t, name));
  t.is((await containersOf(name)).filter((one) => one.heldBy === 'session').length, 2);
});

test('a session that nobody uses for sessionIdleMs is ended with its container', async (t) => {
  const name = await readyServer(t, 'plain.py', { timeouts: { sessionIdleMs: 5000 } });
  const session = await openSession(t, name);
  await until('no container of a session', async () =>
    (await containersOf(name)).every((container) => container.heldBy === 'pool'),
  );
  t.is((await session.post(toolCall(1, 'echo'))).status, 404);
});

test('when the process of a session dies, its open calls get a typed error and the session answers 404', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const session = await openSession(t, name);
  const sleeping = session.call(1, 'sleep', { ms: 30_000 });
  // A death is known at once: a call that comes after it was never sent.
  await until('it sleeps', async () => (await server(name)).callsInFlight === 1);
  const crashing = session.call(2, 'crash', { code: 9 });
  for (const answer of await Promise.all([sleeping, crashing])) {
    t.like(answer.error, { code: -32000, data: { code: 'replica_failed', exitCode: 9, mayHaveRun: true } });
    t.regex(JSON.stringify(answer.error?.data), /crash: on request/);
  }
  t.is((await session.post(toolCall(3, 'echo'))).status, 404);
  await until('the container is gone', async () =>
    (await containersOf(name)).every((one) => one.heldBy === 'pool'),
  );
});

test('a result as large as several megabytes arrives whole', async (t) => {
  const session = await openSession(t, 'plain');
  const answer = await session.call(1, 'big', { bytes: 6_000_000 });
  t.is(textOf(answer.result).length, 6_000_000);
});
