import test from 'ava';
import {
  api,
  baseUrl,
  callTool,
  containersOf,
  dockerInside,
  expectStatus,
  server,
  standingContainer,
  textOf,
} from './harness.ts';
import { lastMessage, openSession } from './mcp-session.ts';
import { makeServer, uniqueName, untilReady } from './own-server.ts';
import { connect } from './sdk-client.ts';
import { until } from './until.ts';

const CATALOGUE = ['everything', 'filesystem', 'memory', 'sequential-thinking', 'clock'] as const;

// From nothing, five images are built first.
test.before(async (t) => {
  t.timeout(600_000);
  await Promise.all(CATALOGUE.map((name) => untilReady(name, 590_000)));
});

for (const name of CATALOGUE) {
  test(`the server ${name} of the catalogue is ready and lists its tools over MCP and over REST`, async (t) => {
    const seen = await server(name);
    t.is(seen.state, 'ready');
    t.is(seen.origin, 'file');
    t.is(seen.url, `${baseUrl}/mcp/${name}`);
    const { client } = await connect(t, name);
    const overMcp = (await client.listTools()).tools.map((tool) => tool.name).sort();
    type Listed = { tools: { name: string }[] };
    const { tools } = await expectStatus<Listed>(
      200,
      api('GET', `/api/v1/servers/${name}/tools`, { token: null }),
    );
    t.deepEqual(tools.map((tool) => tool.name).sort(), overMcp);
    await until('they are counted', async () => (await server(name)).toolCount === tools.length);
  });
}

test('echo of the everything server answers over MCP', async (t) => {
  const { client } = await connect(t, 'everything');
  const result = await client.callTool({ name: 'echo', arguments: { message: 'over MCP' } });
  t.is(textOf(result), 'Echo: over MCP');
});

test('echo of the everything server answers over REST without any token', async (t) => {
  t.is(await callTool('everything', 'echo', { message: 'over REST' }), 'Echo: over REST');
});

test('both replicas of the clock answer, and shared callers are spread over them', async (t) => {
  const names = new Set<string>();
  for (let call = 0; call < 40 && names.size < 2; call += 1) names.add(await callTool('clock', 'whoami'));
  t.is(names.size, 2);
  const ids = (await containersOf('clock')).map((container) => container.id);
  t.is(ids.length, 2);
  for (const name of names) t.true(ids.some((id) => id.startsWith(name)));
});

test('a session on a shared server gets plain answers and no process of its own', async (t) => {
  const before = (await containersOf('clock')).map((container) => container.id).sort();
  const session = await openSession(t, 'clock');
  const answer = await session.call(1, 'now', { timezone: 'UTC' });
  const age = Date.now() - Date.parse(textOf(answer.result));
  t.true(Math.abs(age) < 60_000);
  t.deepEqual((await containersOf('clock')).map((container) => container.id).sort(), before);
});

// Servers of their own, from the packages of the catalogue: a restart ends the sessions of other tests.
test('what the filesystem server writes is on its volume and survives a new container', async (t) => {
  const npm = '@modelcontextprotocol/server-filesystem@2026.8.31';
  const name = await makeServer(t, 'files', { npm, args: ['/data'], data: '/data' });
  await untilReady(name);
  const path = '/data/note.txt';
  await callTool(name, 'write_file', { path, content: 'kept' });
  await replaceStanding(name);
  t.regex(await callTool(name, 'read_text_file', { path }), /kept/);
});

test('what the memory server learns is on its volume and survives a new container', async (t) => {
  const npm = '@modelcontextprotocol/server-memory@2026.8.31';
  const env = { MEMORY_FILE_PATH: '/data/memory.json' };
  const name = await makeServer(t, 'graph', { npm, env, data: '/data' });
  await untilReady(name);
  const entities = [{ name: 'Ada', entityType: 'person', observations: ['was here'] }];
  await callTool(name, 'create_entities', { entities });
  await replaceStanding(name);
  t.regex(await callTool(name, 'open_nodes', { names: ['Ada'] }), /was here/);
});

test('the filesystem and memory servers of the catalogue can write to their volumes', async (t) => {
  const name = uniqueName('note');
  await callTool('filesystem', 'write_file', { path: `/data/${name}`, content: 'kept' });
  t.regex(await callTool('filesystem', 'list_directory', { path: '/data' }), new RegExp(name));
  await callTool('memory', 'create_entities', { entities: [{ name, entityType: 'note', observations: [] }] });
  t.regex(await callTool('memory', 'open_nodes', { names: [name] }), new RegExp(name));
});

test('the data of a server is one named volume with the labels of its owner and server', async (t) => {
  const [container] = await containersOf('filesystem');
  const all = JSON.parse(await dockerInside('inspect', '--format', '{{json .Mounts}}', container?.id ?? ''));
  const mounts = all.filter((mount: { Destination: string }) => mount.Destination !== '/run/gantry'); // the bridge's
  t.is(mounts.length, 1);
  t.is(mounts[0].Type, 'volume');
  t.is(mounts[0].Destination, '/data');
  const labels = JSON.parse(
    await dockerInside('volume', 'inspect', '--format', '{{json .Labels}}', mounts[0].Name as string),
  );
  t.like(labels, { 'gantry.owner': 'gantry', 'gantry.server': 'filesystem' });
});

test('sequential-thinking keeps a history of its own for each session', async (t) => {
  const [one, other] = [
    await openSession(t, 'sequential-thinking'),
    await openSession(t, 'sequential-thinking'),
  ];
  const thought = { thought: 'x', nextThoughtNeeded: true, thoughtNumber: 1, totalThoughts: 3 };
  await one.call(1, 'sequentialthinking', thought);
  await one.call(2, 'sequentialthinking', thought);
  const third = JSON.parse(textOf((await one.call(3, 'sequentialthinking', thought)).result));
  const first = JSON.parse(textOf((await other.call(1, 'sequentialthinking', thought)).result));
  t.is(third.thoughtHistoryLength, 3);
  t.is(first.thoughtHistoryLength, 1);
});

test('an unknown tool is answered by the server itself, over MCP with 200', async (t) => {
  const session = await openSession(t, 'everything');
  const answer = await session.post({ jsonrpc: '2.0', id: 5, method: 'no/such/method' });
  t.is(answer.status, 200);
  t.is(lastMessage(answer).error?.code, -32601);
  t.is(lastMessage(answer).id, 5);
});

/** Restarts a server, and waits until another container of it is ready. */
async function replaceStanding(name: string): Promise<void> {
  const old = await standingContainer(name);
  await expectStatus(202, api('POST', `/api/v1/servers/${name}/restart`));
  await until(
    `a new standing container of ${name}`,
    async () => (await standingContainer(name)).id !== old.id,
  );
}
