import test from 'ava';
import {
  api,
  callTool,
  containersOf,
  dockerInside,
  expectStatus,
  metric,
  server,
  textOf,
} from './harness.ts';
import { openSession } from './mcp-session.ts';
import { readyServer } from './own-server.ts';
import { eventsOf } from './sse-events.ts';
import { until } from './until.ts';

/** What the engine itself has of a server, whatever the API says. */
async function engineContainers(name: string): Promise<readonly string[]> {
  const ids = await dockerInside('ps', '-aq', '--no-trunc', '--filter', `label=gantry.server=${name}`);
  return ids.split('\n').filter((id) => id !== '');
}

async function engineState(id: string): Promise<string> {
  return (await dockerInside('inspect', '--format', '{{.State.Status}}', id)).trim();
}

function rests(view: object, how: 'paused' | 'stopped'): boolean {
  const { state, idle } = view as { readonly state: string; readonly idle: string | null };
  return state === how && idle === how;
}

async function createdAt(id: string): Promise<number> {
  return Date.parse((await dockerInside('inspect', '--format', '{{.Created}}', id)).trim());
}

async function spareOf(name: string): Promise<string> {
  const found = await until(`a spare of ${name}`, async () =>
    (await spares(name)).find(({ state }) => state === 'ready' || state === 'starting'),
  );
  return found.id;
}

type Container = { readonly id: string; readonly state: string; readonly spare: boolean };

async function spares(name: string): Promise<readonly Container[]> {
  const all = (await containersOf(name)) as unknown as readonly Container[];
  return all.filter(({ spare }) => spare);
}

async function sessionContainer(name: string): Promise<string> {
  const held = (await containersOf(name)).filter(({ heldBy }) => heldBy === 'session');
  const [only] = held;
  if (held.length !== 1 || only === undefined)
    throw new Error(`${name} has ${held.length} session containers`);
  return only.id;
}

const used = (name: string, outcome: string) =>
  metric('gantry_spares_used_total', `server="${name}"`, `outcome="${outcome}"`);

test('a session gets a container that was made before it was opened, and the spare is replaced', async (t) => {
  const name = await readyServer(t, 'plain.py', { replicas: { min: 1, warm: 1 } });
  const spare = await spareOf(name);
  const openedAt = Date.now();
  const session = await openSession(t, name);
  t.is(await sessionContainer(name), spare);
  t.true((await createdAt(spare)) < openedAt, 'the engine made it before');
  t.is(textOf((await session.call(1, 'echo', { text: 'warm' })).result), 'warm');
  t.is((await used(name, 'started')) + (await used(name, 'greeted')), 1);
  const next = await spareOf(name);
  t.not(next, spare);
  t.true((await engineContainers(name)).includes(next));
  await session.end();
  await until('two are left', async () => (await engineContainers(name)).length === 2);
});

test('many sessions at once never share a container, spares or not', async (t) => {
  const name = await readyServer(t, 'plain.py', { replicas: { min: 1, warm: 2 } });
  await until('both spares wait', async () => (await spares(name)).length === 2);
  const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => openSession(t, name)));
  const hosts = await Promise.all(
    sessions.map(async (one) => textOf((await one.call(1, 'hostname')).result)),
  );
  t.is(new Set(hosts).size, 5);
});

test('a spare that was greeted in advance serves a session like any other, and what it said meanwhile arrives', async (t) => {
  const name = await readyServer(t, 'after_hello.py', { replicas: { min: 1, warm: 1 } });
  await spareOf(name);
  await openSession(t, name);
  await until('a spare is greeted', async () => (await spares(name)).some(({ state }) => state === 'ready'));
  const session = await openSession(t, name);
  t.is(await used(name, 'greeted'), 1);
  t.like(session.initialized.result, { protocolVersion: '2025-11-25', serverInfo: { name: 'fixture' } });
  const heard: unknown[] = [];
  for await (const event of eventsOf(await session.openStream())) {
    if (event.data === '') continue;
    heard.push(JSON.parse(event.data).method);
    if (heard.length === 2) break;
  }
  t.deepEqual(heard, ['notifications/message', 'notifications/tools/list_changed']);
  t.is(textOf((await session.call(1, 'echo', { text: 'hello' })).result), 'hello');
});

test('a client that says something else in its handshake is not given a spare that was greeted for others', async (t) => {
  const name = await readyServer(t, 'plain.py', { replicas: { min: 1, warm: 1 } });
  await spareOf(name);
  await openSession(t, name);
  await until('a spare is greeted', async () => (await spares(name)).some(({ state }) => state === 'ready'));
  const other = await openSession(t, name, { version: '2025-06-18', capabilities: { roots: {} } });
  t.is(other.version, '2025-06-18');
  t.is(await used(name, 'none'), 1);
});

test('a spare takes the place of a standing replica that is killed', async (t) => {
  const name = await readyServer(t, 'plain.py', {
    sharing: 'shared',
    replicas: { min: 1, warm: 1 },
  });
  await until('a spare is greeted', async () => (await spares(name)).some(({ state }) => state === 'ready'));
  const spare = await spareOf(name);
  const standing = (await containersOf(name)).find(({ id }) => id !== spare);
  await dockerInside('kill', standing?.id ?? '');
  const host = await until('it answers again', () => callTool(name, 'hostname'));
  t.true(spare.startsWith(host), 'and it is the spare that answers');
  await until('the dead one is gone, and there is another spare', async () => {
    const ids = await engineContainers(name);
    return ids.length === 2 && !ids.includes(standing?.id ?? '');
  });
});

test('load brings up more replicas, up to max, and when it is over they are ended', async (t) => {
  const name = await readyServer(t, 'plain.py', {
    sharing: 'shared',
    replicas: { min: 1, max: 3, targetInFlight: 1, scaleDownAfterMs: 4000 },
  });
  t.is((await engineContainers(name)).length, 1);
  let isOver = false;
  const hosts = new Set<string>();
  const clients = Array.from({ length: 6 }, async () => {
    while (!isOver) {
      await callTool(name, 'sleep', { ms: 300 });
      hosts.add(await callTool(name, 'hostname'));
    }
  });
  await until('the engine runs three', async () => (await engineContainers(name)).length === 3);
  await until('all three answer calls', async () => hosts.size === 3);
  t.like((await server(name)).replicas, { desired: 3, min: 1, max: 3 });
  isOver = true;
  await Promise.all(clients); // none of them failed, also while replicas ended
  await until('the engine runs one', async () => (await engineContainers(name)).length === 1);
  t.true((await metric('gantry_scalings_total', `server="${name}"`, 'direction="up"')) >= 1);
  t.true((await metric('gantry_scalings_total', `server="${name}"`, 'direction="down"')) >= 1);
  t.is(await callTool(name, 'echo', { text: 'still here' }), 'still here');
});

test('replicas that nobody calls are paused, then stopped, and the next call brings them back', async (t) => {
  t.timeout(180_000);
  const name = await readyServer(t, 'plain.py', {
    sharing: 'shared',
    idle: { pauseAfterMs: 2000, stopAfterMs: 20_000 },
  });
  const [id = ''] = await engineContainers(name);
  await until('the engine says it is paused', async () => (await engineState(id)) === 'paused');
  await until('Gantry says so', async () => rests(await server(name), 'paused'));
  t.true((await toolNames(name)).includes('echo'), 'its tools are known');
  t.is(await engineState(id), 'paused', 'and nobody was woken for them');
  t.is(await callTool(name, 'echo', { text: 'back' }), 'back');
  t.deepEqual(await engineContainers(name), [id]);
  await until('the engine says it has exited', async () => (await engineState(id)) === 'exited');
  await until('Gantry says so', async () => rests(await server(name), 'stopped'));
  t.true((await toolNames(name)).includes('echo'));
  t.is(await engineState(id), 'exited');
  t.is(await callTool(name, 'echo', { text: 'from a cold start' }), 'from a cold start');
  // Where asking takes long it rests again already.
  t.true(['running', 'paused'].includes(await engineState(id)));
  t.deepEqual(await engineContainers(name), [id]);
  for (const step of ['paused', 'resumed', 'stopped', 'started']) {
    t.true((await metric('gantry_rests_total', `server="${name}"`, `step="${step}"`)) >= 1, step);
  }
});

test('a replica is not put to rest while a call is open, however long it takes', async (t) => {
  const name = await readyServer(t, 'plain.py', { sharing: 'shared', idle: { pauseAfterMs: 1000 } });
  const [id = ''] = await engineContainers(name);
  const seen = new Set<string>();
  let isOver = false;
  const call = callTool(name, 'sleep', { ms: 5000 }).finally(() => {
    isOver = true;
  });
  await until('the call runs', async () => callsInFlight(name));
  while (!isOver) {
    const state = await engineState(id);
    if (!isOver) seen.add(state); // what was seen after its end says nothing
  }
  t.is(await call, 'slept');
  t.deepEqual([...seen], ['running']);
  await until('then it is', async () => (await engineState(id)) === 'paused');
});

async function callsInFlight(name: string): Promise<boolean> {
  return ((await server(name)) as unknown as { callsInFlight: number }).callsInFlight > 0;
}

async function toolNames(name: string): Promise<readonly string[]> {
  const path = `/api/v1/servers/${name}/tools`;
  const { tools } = await expectStatus<{ tools: { name: string }[] }>(200, api('GET', path));
  return tools.map((tool) => tool.name);
}
