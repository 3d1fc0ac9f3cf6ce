import test, { type ExecutionContext } from 'ava';
import {
  api,
  callTool,
  containersOf,
  dockerInside,
  expectStatus,
  type Json,
  metric,
  type Server,
  server,
} from './harness.ts';
import { openSession, toolCall } from './mcp-session.ts';
import { fixtureEntry, makeServer, readyServer, untilReady } from './own-server.ts';
import { until } from './until.ts';

/** Soon enough for a test, and long against what a loaded machine needs to answer. */
const QUICK = { intervalMs: 1000, timeoutMs: 3000, fall: 2 };
const FOUND_WITHIN = { timeoutMs: 90_000 };

type Ctx = ExecutionContext;

/** The containers of a server's pool as the engine lists them, running or not. */
async function onEngine(name: string): Promise<readonly string[]> {
  const filter = `label=gantry.server=${name}`;
  const listed = await dockerInside('ps', '-a', '--no-trunc', '--filter', filter, '--format', '{{.ID}}');
  return listed.split('\n').filter((id) => id !== '');
}

async function onlyOne(name: string): Promise<string> {
  return until(`${name} has one container`, async () => {
    const ids = await onEngine(name);
    return ids.length === 1 && ids[0];
  });
}

/** Another container than before, ready to serve, its breaker closed, as engine, API and metrics say. */
async function replaced(t: Ctx, name: string, before: string): Promise<string> {
  const after = await until(
    `${name} has another container that serves`,
    async () => {
      const found = (await containersOf(name)).find(
        ({ heldBy, state }) => heldBy === 'pool' && state === 'ready',
      );
      return found !== undefined && found.id !== before && found.breaker === 'closed' && found.id;
    },
    FOUND_WITHIN,
  );
  t.deepEqual(await onEngine(name), [after], 'the engine has the new one and no other');
  await untilReady(name);
  return after;
}

const ofServer = (name: string): string => `server="${name}"`;

async function trips(name: string, cause: string): Promise<number> {
  return metric('gantry_breaker_trips_total', ofServer(name), `cause="${cause}"`);
}

/** Any call, whatever becomes of it. */
function call(name: string, tool: string, args: Json = {}) {
  return api('POST', `/api/v1/servers/${name}/tools/${tool}`, { body: args, token: null });
}

test('calls that time out open a breaker: the container is replaced, a probe passes, the breaker closes, traffic was spread all along', async (t) => {
  const name = await readyServer(t, 'stuck.py', {
    sharing: 'shared',
    replicas: 2,
    timeouts: { callTimeoutMs: 5000, drainMs: 1000 },
    breaker: { consecutiveFailures: 3 },
    health: { intervalMs: 0 },
  });
  await until('both replicas are ready', async () => (await server(name)).replicas.ready === 2);
  const hosts = new Set<string>();
  for (let turn = 0; turn < 4; turn++) hosts.add(await callTool(name, 'work'));
  t.is(hosts.size, 2, 'both answer');
  const before = await onEngine(name);
  const muted = await callTool(name, 'mute');
  const [broken, ...others] = before.filter((id) => id.startsWith(muted));
  t.is(typeof broken, 'string', 'the engine has the container that said it');
  t.deepEqual(others, []);

  let failed = 0;
  for (let turn = 0; turn < 20 && (await trips(name, 'consecutive')) === 0; turn++) {
    const { status, text } = await call(name, 'work');
    if (status === 200) continue;
    failed++;
    t.is(JSON.parse(text).error.code, 'call_timeout');
  }
  t.is(failed, 3, 'three timeouts, as configured');
  t.is(await trips(name, 'consecutive'), 1);
  t.not(await callTool(name, 'work'), muted, 'the others serve meanwhile');

  const after = await until(
    'the engine has another container in its place',
    async () => {
      const ids = await onEngine(name);
      return ids.length === 2 && !ids.includes(broken ?? '') && ids;
    },
    FOUND_WITHIN,
  );
  t.is(after.filter((id) => before.includes(id)).length, 1, 'the other one is the same');
  await until(
    'all breakers are closed',
    async () => (await metric('gantry_breaker_state', ofServer(name), 'state="closed"')) === 2,
  );
  t.is(await metric('gantry_breaker_state', ofServer(name), 'state="open"'), 0);
  t.true(
    (await metric('gantry_probes_total', ofServer(name), 'outcome="answered"')) >= 1,
    'its probe passed',
  );
  await until('both are ready again', async () => (await server(name)).replicas.ready === 2);
  const again = new Set<string>();
  for (let turn = 0; turn < 4; turn++) again.add(await callTool(name, 'work'));
  t.is(again.size, 2);
  t.false(again.has(muted));
  const service = await expectStatus<{ replicas: { breaker: string }[] }>(
    200,
    api('GET', `/api/v1/mesh/services/${name}`),
  );
  t.deepEqual(
    service.replicas.map(({ breaker }) => breaker),
    ['closed', 'closed'],
  );
});

test('a replica that is paused behind the back of Gantry is found and replaced', async (t) => {
  const name = await readyServer(t, 'plain.py', { sharing: 'shared', health: QUICK });
  const before = await onlyOne(name);
  await dockerInside('pause', before);
  await replaced(t, name, before);
  t.is(await trips(name, 'unresponsive'), 1);
  t.true((await metric('gantry_probes_total', ofServer(name), 'outcome="silent"')) >= 2);
  t.is(await metric('gantry_replica_failures_total', ofServer(name), 'reason="unresponsive"'), 1);
  t.is(await callTool(name, 'echo', { text: 'back' }), 'back');
});

test('a process that is stopped by a signal is found and replaced', async (t) => {
  const name = await readyServer(t, 'plain.py', { sharing: 'shared', health: QUICK });
  const before = await onlyOne(name);
  const freeze =
    'import os, signal; [os.kill(int(p), signal.SIGSTOP) for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]';
  await dockerInside('exec', before, 'python3', '-c', freeze);
  await replaced(t, name, before);
  t.is(await trips(name, 'unresponsive'), 1);
});

test('a process in an endless loop is found once its call has had its time, and replaced', async (t) => {
  const name = await readyServer(t, 'stuck.py', {
    sharing: 'shared',
    timeouts: { callTimeoutMs: 3000 },
    health: QUICK,
  });
  const before = await onlyOne(name);
  const { status, text } = await call(name, 'spin');
  t.is(status, 504, text);
  await replaced(t, name, before);
  t.is(await trips(name, 'unresponsive'), 1);
  t.regex(await callTool(name, 'work'), /^[0-9a-f]{12}$/);
});

test('one that works on a long call and cannot answer a ping is not shot for it', async (t) => {
  const name = await readyServer(t, 'stuck.py', {
    sharing: 'shared',
    timeouts: { callTimeoutMs: 60_000 },
    health: { intervalMs: 500, timeoutMs: 2500, fall: 2 },
  });
  const before = await onlyOne(name);
  // Twice as long as two silent probes take.
  t.is(await callTool(name, 'block', { ms: 12_000 }), 'done');
  t.is(await onlyOne(name), before);
  t.is(await trips(name, 'unresponsive'), 0);
});

test('a replica that is paused over the API is left alone', async (t) => {
  const name = await readyServer(t, 'plain.py', {
    sharing: 'shared',
    health: { intervalMs: 200, timeoutMs: 5000, fall: 1 },
  });
  const id = await onlyOne(name);
  const asked = () => metric('gantry_probes_total', ofServer(name));
  await until('it is asked', async () => (await asked()) >= 2);
  await expectStatus(202, api('POST', `/api/v1/containers/${id}/pause`));
  // Another server's probes show that time passes for this one too.
  const other = await readyServer(t, 'plain.py', { health: { intervalMs: 200, timeoutMs: 5000 } });
  const before = await metric('gantry_probes_total', ofServer(other));
  await until(
    'ten probes elsewhere',
    async () => (await metric('gantry_probes_total', ofServer(other))) >= before + 10,
  );
  t.like(await server(name), { state: 'paused' });
  await expectStatus(202, api('POST', `/api/v1/containers/${id}/resume`));
  t.is(await callTool(name, 'echo', { text: 'on' }), 'on');
  t.is(await onlyOne(name), id);
});

test('a frozen replica of a session is found: its call gets a typed error, and the session is over', async (t) => {
  const name = await readyServer(t, 'plain.py', { timeouts: { callTimeoutMs: 4000 }, health: QUICK });
  const standing = await onEngine(name);
  const session = await openSession(t, name);
  const own = (await onEngine(name)).find((id) => !standing.includes(id));
  await dockerInside('pause', own ?? '');
  const { error } = await session.call(1, 'echo', { text: 'x' });
  t.true(['call_timeout', 'replica_failed'].includes(String(error?.data?.code)), JSON.stringify(error));
  await until(
    'the session is over',
    async () => (await session.post(toolCall(2, 'echo'))).status === 404,
    FOUND_WITHIN,
  );
  await until('its container is gone', async () => (await onEngine(name)).length === 1);
  t.is(await trips(name, 'unresponsive'), 1);
  t.deepEqual(await onEngine(name), standing, 'the standing one is the same');
});

test('thresholds changed by PATCH hold for the replica that is there', async (t) => {
  const name = await readyServer(t, 'stuck.py', {
    sharing: 'shared',
    timeouts: { callTimeoutMs: 3000, drainMs: 500 },
    health: { intervalMs: 0 },
  });
  const before = await onlyOne(name);
  await callTool(name, 'mute');
  t.is((await call(name, 'work')).status, 504);
  const patched = api('PATCH', `/api/v1/servers/${name}`, { body: { breaker: { consecutiveFailures: 2 } } });
  t.like(await expectStatus<Server>(202, patched), { breaker: { consecutiveFailures: 2, minCalls: 20 } });
  t.is(await onlyOne(name), before, 'no container was replaced for it');
  t.is((await call(name, 'work')).status, 504);
  await replaced(t, name, before);
  t.is(await trips(name, 'consecutive'), 1);
});

test('after starts in a row that failed, new ones are refused at once with 503, the reason and when to come back', async (t) => {
  const name = await makeServer(t, 'no-start', {
    ...(await fixtureEntry('exits_at_once.py')),
    sharing: 'call',
    breaker: { consecutiveFailures: 2, ejectMs: 60_000 },
  });
  for (let start = 0; start < 2; start++) t.is((await call(name, 'echo')).status, 502);
  const count = await metric('gantry_breaker_trips_total', ofServer(name), 'guards="starts"');
  t.is(count, 1);
  const refused = await call(name, 'echo');
  t.is(refused.status, 503);
  const wait = Number(refused.headers['retry-after']);
  t.true(wait >= 40 && wait <= 60, String(wait));
  t.like(JSON.parse(refused.text).error, {
    code: 'no_replica',
    detail: { reason: 'exited', mayHaveRun: false },
  });
});
