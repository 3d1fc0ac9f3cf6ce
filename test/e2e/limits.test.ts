// What a replica takes too much of costs that replica alone, and why it ended is told apart.
import test from 'ava';
import { api, callTool, containersOf, standingContainer } from './harness.ts';
import { openSession } from './mcp-session.ts';
import { othersAnswer, readyServer, untilReady } from './own-server.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;

test.before(async (t) => {
  t.timeout(300_000);
  await Promise.all(['plain', 'inspector'].map((name) => untilReady(name, 290_000)));
});

test('a fork bomb is refused at the limit of its replica, and others do not notice', async (t) => {
  const name = await readyServer(t, 'inspector.py');
  const [count, verdict] = (await callTool(name, 'fork_bomb')).split(' ');
  t.is(verdict, 'refused');
  t.true(Number(count) > 50 && Number(count) < 128);
  t.true(await othersAnswer());
});

test('an endless fork bomb ends in its replica alone and is removed with it', async (t) => {
  const name = await readyServer(t, 'inspector.py');
  const bombed = api('POST', `/api/v1/servers/${name}/tools/endless_forks`, { body: {} });
  const { id } = await standingContainer(name);
  const stats = await until('the replica is full', async () => {
    const { text } = await api('GET', `/api/v1/containers/${id}/stats`);
    const seen = JSON.parse(text) as { pids: number; pidsLimit: number };
    return seen.pids >= seen.pidsLimit - 2 && seen;
  });
  t.is(stats.pidsLimit, 128);
  t.true(await othersAnswer());
  t.is((await api('POST', `/api/v1/containers/${id}/kill`)).status, 202);
  t.is((await bombed).status, 502);
  await until('the replica is made anew', async () => (await standingContainer(name)).id !== id);
  t.true(await othersAnswer());
});

test('a memory hog ends in its replica alone, and the API names oom', async (t) => {
  const name = await readyServer(t, 'inspector.py', { resources: { memory: '64MiB' } });
  const answer = await api('POST', `/api/v1/servers/${name}/tools/hog`, { body: { bytes: 512 * MIB } });
  t.is(answer.status, 502);
  const { error } = JSON.parse(answer.text);
  t.is(error.code, 'replica_failed');
  t.regex(JSON.stringify(error.detail), /"oom"/);
  t.true(await othersAnswer());
  const exit = await until(
    'the exit before',
    async () => (await containersOf(name)).find((one) => one.exit)?.exit,
  );
  t.like(exit, { reason: 'oom', code: 137, signal: 'SIGKILL' });
});

test('a memory hog in a session gets oom as the reason of its error', async (t) => {
  const name = await readyServer(t, 'inspector.py', { resources: { memory: '64MiB' } });
  const session = await openSession(t, name);
  const { error } = await session.call(1, 'hog', { bytes: 512 * MIB });
  t.is(error?.data?.code, 'replica_failed');
  t.regex(JSON.stringify(error?.data), /"oom"/);
});

test('exit and signal are told apart from oom', async (t) => {
  const name = await readyServer(t, 'plain.py');
  const exited = JSON.parse(
    (await api('POST', `/api/v1/servers/${name}/tools/crash`, { body: { code: 7 } })).text,
  );
  t.like(exited.error, { code: 'replica_failed', detail: { reason: 'exited', exitCode: 7 } });
  await untilReady(name);
  const died = JSON.parse(
    (await api('POST', `/api/v1/servers/${name}/tools/die`, { body: { signal: 11 } })).text,
  );
  t.like(died.error, { code: 'replica_failed', detail: { reason: 'signal' } });
});

test('the processor limit holds for all processes of a replica together', async (t) => {
  const name = await readyServer(t, 'inspector.py', { resources: { cpus: 0.5 } });
  const cores = Number(await callTool(name, 'spin', { processes: 3, ms: 4000 }));
  t.true(cores < 0.7, `${cores} cores were used`);
  t.true(cores > 0.05, `${cores} cores were used`);
});
