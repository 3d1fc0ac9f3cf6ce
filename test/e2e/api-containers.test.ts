import { type IncomingMessage, request } from 'node:http';
import test from 'ava';
import {
  adminToken,
  api,
  baseUrl,
  type Container,
  callTool,
  containersOf,
  dockerInside,
  expectStatus,
  server,
  standingContainer,
} from './harness.ts';
import { openSession, toolCall } from './mcp-session.ts';
import { readyServer, untilReady } from './own-server.ts';
import { eventsOf } from './sse-events.ts';
import { until } from './until.ts';

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

const act = (id: string, verb: string) => api('POST', `/api/v1/containers/${id}/${verb}`);

test('a container is found by its full id and by a prefix of 12, never by a shorter one', async (t) => {
  const { id } = await standingContainer('plain');
  t.is((await expectStatus<Container>(200, api('GET', `/api/v1/containers/${id}`))).id, id);
  t.is((await expectStatus<Container>(200, api('GET', `/api/v1/containers/${id.slice(0, 12)}`))).id, id);
  t.is((await api('GET', `/api/v1/containers/${id.slice(0, 11)}`)).status, 404);
  t.is((await api('GET', '/api/v1/containers/ffffffffffff')).status, 404);
});

test('a killed container is a fault: the server gets another one and counts the restart', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const before = await standingContainer(name);
  t.is((await act(before.id, 'kill')).status, 202);
  const after = await until('another container', async () => {
    const found = await standingContainer(name);
    return found.id !== before.id && found;
  });
  t.true(after.restarts > before.restarts);
  t.is(await callTool(name, 'echo', { text: 'repaired' }), 'repaired');
});

test('a container that dies behind the back of Gantry is replaced', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const before = await standingContainer(name);
  await dockerInside('kill', '--signal', 'KILL', before.id);
  await until('another container', async () => (await standingContainer(name)).id !== before.id);
  t.is(await callTool(name, 'echo', { text: 'replaced' }), 'replaced');
});

test('a stopped container is left alone until start', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const { id } = await standingContainer(name);
  t.is((await act(id, 'stop')).status, 202);
  await until('stopped', async () => (await containersOf(name)).every((one) => one.state === 'stopped'));
  t.is((await server(name)).replicas.ready, 0);
  t.is((await act(id, 'start')).status, 202);
  await untilReady(name);
  t.is(await callTool(name, 'echo', { text: 'started' }), 'started');
});

test('a paused container is left alone and serves again after resume', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const { id } = await standingContainer(name);
  t.is((await act(id, 'pause')).status, 202);
  await until('paused', async () => (await containersOf(name))[0]?.state === 'paused');
  t.is((await act(id, 'pause')).status, 409);
  t.is((await act(id, 'resume')).status, 202);
  await untilReady(name);
  t.is((await containersOf(name))[0]?.id, id);
  t.is(await callTool(name, 'echo', { text: 'resumed' }), 'resumed');
});

test('restart of a container gives a process that starts from nothing', async (t) => {
  const name = await readyServer(t, 'plain.py');
  await callTool(name, 'remember', { text: 'before' });
  const { id } = await standingContainer(name);
  t.is((await act(id, 'restart')).status, 202);
  await until('a new process', async () => (await callTool(name, 'remember', { text: 'after' })) === 'after');
  t.is((await server(name)).replicas.ready, 1);
});

test('when the container of a session is killed, the session is over and is not repaired', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const session = await openSession(t, name);
  const [held] = (await containersOf(name)).filter((one) => one.heldBy === 'session');
  const sleeping = session.call(1, 'sleep', { ms: 30_000 });
  t.is((await act(held?.id ?? '', 'kill')).status, 202);
  t.like((await sleeping).error, { data: { code: 'replica_failed' } });
  t.is((await session.post(toolCall(2, 'echo'))).status, 404);
  await until('no container of a session', async () =>
    (await containersOf(name)).every((one) => one.heldBy === 'pool'),
  );
});

test('stats are what the container uses, beside its limits', async (t) => {
  const { id } = await standingContainer('plain');
  const stats = await expectStatus<Record<string, number>>(200, api('GET', `/api/v1/containers/${id}/stats`));
  t.is(stats.memoryLimitBytes, 256 * 1024 * 1024);
  t.is(stats.pidsLimit, 128);
  t.true((stats.memoryBytes ?? 0) > 1024 * 1024 && (stats.memoryBytes ?? 0) < (stats.memoryLimitBytes ?? 0));
  t.true((stats.pids ?? 0) >= 2);
  t.is(stats.oomKills, 0);
});

test('logs are the stderr of a container, and control characters in them are escaped', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const { id } = await standingContainer(name);
  await callTool(name, 'warn', { text: 'red \u001b[31malert\u001b[0m' });
  const text = await until('the line', async () => {
    const answer = await api('GET', `/api/v1/containers/${id}/logs`);
    return answer.text.includes('alert') && answer.text;
  });
  t.regex(text, /fixture: ready/);
  t.false(text.includes('\u001b'));
});

test('logs with follow show a line as soon as it is written', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const { id } = await standingContainer(name);
  const lines: string[] = [];
  const followed = await new Promise<IncomingMessage>((resolve, reject) => {
    const url = new URL(`/api/v1/containers/${id}/logs?follow=1`, baseUrl);
    const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/event-stream' };
    request(url, { headers, agent: false }, resolve).on('error', reject).end();
  });
  t.teardown(() => {
    followed.destroy();
  });
  t.regex(String(followed.headers['content-type']), /^text\/event-stream/);
  const written = callTool(name, 'warn', { text: 'live line' });
  for await (const event of eventsOf(followed)) {
    const { at, line } = JSON.parse(event.data) as { at: string; line: string };
    t.false(Number.isNaN(Date.parse(at)));
    lines.push(line);
    if (line === 'live line') break;
  }
  await written;
  t.true(lines.includes('live line'));
});

test('no answer of the API shows a session id or the value of an environment variable', async (t) => {
  const session = await openSession(t, 'plain');
  for (const path of ['/api/v1/servers', '/api/v1/containers', '/api/v1/mesh/services', '/metrics']) {
    const { text } = await api('GET', path);
    t.false(text.includes(session.id), path);
    t.false(text.includes('only-for-the-server'), path);
  }
});
