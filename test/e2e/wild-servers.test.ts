import test, { type ExecutionContext } from 'ava';
import { spokenBare } from './bare-program.ts';
import {
  api,
  callTool,
  dockerInside,
  expectStatus,
  type Json,
  server,
  standingContainer,
  textOf,
} from './harness.ts';
import {
  initializeRequest,
  lastMessage,
  McpSession,
  openSession,
  postMcp,
  type RpcMessage,
} from './mcp-session.ts';
import { modernRequest } from './modern-client.ts';
import { readyServer, untilReady } from './own-server.ts';
import { connect } from './sdk-client.ts';
import { nextOf, type OpenStream, openEvents } from './sse-stream.ts';
import { until } from './until.ts';

// Servers as they are published, each at one version; what is said of them here was seen on them.
const WILD = ['everything', 'plain', 'context7', 'claude-flow', 'ruv-swarm'] as const;
const LIST_TOOLS = { jsonrpc: '2.0', id: 'tools', method: 'tools/list', params: {} };

const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const ROOTS = { capabilities: { roots: { listChanged: true } } };

type ToolList = { readonly tools: readonly { readonly name: string }[] };

// The installs take minutes, and one of them compiles.
test.before(async (t) => {
  t.timeout(1_200_000);
  await Promise.all(WILD.map((name) => untilReady(name, 1_190_000)));
});

async function listOverRest(name: string): Promise<ToolList> {
  return await expectStatus<ToolList>(200, api('GET', `/api/v1/servers/${name}/tools`, { token: null }));
}

const names = ({ tools }: ToolList): readonly string[] => tools.map((tool) => tool.name).sort();

type Dropped = Record<'not_json' | 'not_an_object' | 'bad_id' | 'unknown', number>;

/** Lines of a server that were dropped, by kind. */
async function droppedKinds(name: string): Promise<Dropped> {
  const { text } = await api('GET', '/metrics');
  const rows = text
    .split('\n')
    .filter((row) => row.startsWith(`gantry_lines_dropped_total{server="${name}"`));
  const sum = (kind: string): number =>
    rows.filter((row) => row.includes(kind)).reduce((total, row) => total + Number(row.split(' ').at(-1)), 0);
  const kinds = {
    not_json: sum('"not_json"'),
    not_an_object: sum('"not_an_object"'),
    bad_id: sum('"bad_id"'),
  };
  // Its standing replica has nobody to say to that it is up.
  const known = kinds.not_json + kinds.not_an_object + kinds.bad_id + sum('"unattributed_notification"');
  return { ...kinds, unknown: sum('') - known };
}

async function replaceStanding(name: string): Promise<void> {
  const { id } = await standingContainer(name);
  await expectStatus(202, api('POST', `/api/v1/servers/${name}/restart`));
  await until(`a new container of ${name}`, async () => (await standingContainer(name)).id !== id);
}

test('a package with native parts is compiled, and no compiler is in the image that runs', async (t) => {
  const { id } = await standingContainer('ruv-swarm');
  const look =
    'for tool in cc gcc g++ make; do command -v $tool; done; ls -d /opt/node-headers; find /app -name better_sqlite3.node';
  const found = (await dockerInside('exec', id, 'sh', '-c', look)).trim().split('\n');
  t.deepEqual([...new Set(found.map((path) => path.split('/').at(-1)))], ['better_sqlite3.node']);
  const images = await dockerInside('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}');
  t.regex(images, /^gantry\/compiler:/m);
  t.notRegex(images, /compiled-/);
});

// This one and the next alone: a restart ends sessions, and what sessions make the server print is counted.
test.serial('what a compiled database keeps is on its volume and survives a new container', async (t) => {
  const made = JSON.parse(
    await callTool('ruv-swarm', 'swarm_init', { topology: 'ring', maxAgents: 3 }),
  ) as Json;
  await replaceStanding('ruv-swarm');
  await callTool('ruv-swarm', 'features_detect'); // it loads what it knows at the first call of some of its tools
  t.regex(await callTool('ruv-swarm', 'swarm_status', { verbose: true }), new RegExp(String(made.id)));
});

test.serial('banners between the messages of ruv-swarm are dropped and counted by kind', async (t) => {
  const before = await droppedKinds('ruv-swarm');
  const session = await openSession(t, 'ruv-swarm', { version: '2025-11-25' });
  // It answers even a notification, to nobody; by then it has printed all that it prints.
  const after = await until('its answer to a notification', async () => {
    const now = await droppedKinds('ruv-swarm');
    return now.bad_id > before.bad_id && now;
  });
  const banners = after.not_json + after.not_an_object - before.not_json - before.not_an_object;
  t.true(banners >= 24, `${banners}`);
  t.is(after.unknown, before.unknown, 'of kinds that it has no reason for');
  // A method that no revision has, but JSON-RPC all the same: it goes to the client as it is.
  t.is(JSON.parse((await nextOf(await listening(t, session))).data).method, 'server.initialized');
});

test('ruv-swarm is served in its own old revision, whatever the client asked for', async (t) => {
  const session = await openSession(t, 'ruv-swarm', { version: '2025-11-25' });
  t.is(session.version, '2024-11-05');
  const listed = lastMessage(await session.post(LIST_TOOLS));
  t.is((listed.result as ToolList | undefined)?.tools.length, 25);
  t.regex(textOf((await session.call(1, 'features_detect')).result), /webassembly/);
});

test('ruv-swarm serves clients without sessions, the official client and REST alike', async (t) => {
  const overRest = names(await listOverRest('ruv-swarm'));
  t.is(overRest.length, 25);
  const { client } = await connect(t, 'ruv-swarm');
  t.deepEqual(names(await client.listTools()), overRest);
  const modern = await modernRequest('ruv-swarm', 'tools/list');
  t.deepEqual(names(lastMessage(modern).result as ToolList), overRest);
  t.is((await server('ruv-swarm')).toolCount, 25);
});

test('353 tools, a quarter of a megabyte, arrive as their server wrote them: in sessions, without sessions and over REST', async (t) => {
  const lines = await spokenBare('claude-flow', [initializeRequest(), LIST_TOOLS]);
  const line = lines.find((text) => text.includes('"tools":[')) ?? '';
  const written = line.slice(line.indexOf('{"tools":'), -1);
  const { tools } = JSON.parse(written) as ToolList;
  t.is(tools.length, 353);
  t.true(Buffer.byteLength(written) > 256 * 1024);

  const session = await openSession(t, 'claude-flow');
  const inSession = await session.post(LIST_TOOLS);
  t.is(inSession.text, `{"jsonrpc":"2.0","id":"tools","result":${written}}`);
  const without = await modernRequest('claude-flow', 'tools/list');
  t.is(without.status, 200);
  t.true(without.text.includes(written.slice(0, -1)), 'what Gantry adds stands beside it');
  t.deepEqual((lastMessage(without).result as ToolList | undefined)?.tools, tools);
  t.deepEqual((await listOverRest('claude-flow')).tools, tools);
});

test('what claude-flow declares and then does not know is answered with its own error in both eras, and it goes on', async (t) => {
  const session = await openSession(t, 'claude-flow');
  t.is(session.version, '2024-11-05');
  t.is(typeof (session.initialized.result?.capabilities as Json | undefined)?.resources, 'object');
  const inSession = await session.post({ jsonrpc: '2.0', id: 'r', method: 'resources/list', params: {} });
  const error = { code: -32601, message: 'Method not found: resources/list' };
  t.is(inSession.status, 200);
  t.deepEqual(lastMessage(inSession), { jsonrpc: '2.0', id: 'r', error });
  const without = await modernRequest('claude-flow', 'resources/list');
  t.is(without.status, 404);
  t.deepEqual(lastMessage(without).error, error);

  t.true(Array.isArray(JSON.parse(textOf((await session.call(2, 'agent_list')).result)).agents));
  const called = await modernRequest('claude-flow', 'tools/call', { name: 'agent_list', arguments: {} });
  t.true(Array.isArray(JSON.parse(textOf(lastMessage(called).result)).agents));
  t.true(Array.isArray(JSON.parse(await callTool('claude-flow', 'agent_list')).agents));
});

test('a published server of both eras answers clients of both in their own', async (t) => {
  const bare = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  const _meta = { ...bare, 'io.modelcontextprotocol/clientCapabilities': {} };
  const [line = ''] = await spokenBare('context7', [{ ...LIST_TOOLS, params: { _meta } }]);
  const modern = await modernRequest('context7', 'tools/list');
  t.is(modern.status, 200);
  t.deepEqual(lastMessage(modern).result, JSON.parse(line).result, 'its own words of the newer era');
  const discovered = lastMessage(await modernRequest('context7', 'server/discover')).result;
  t.deepEqual(discovered?.supportedVersions, ['2026-07-28']);

  const session = await openSession(t, 'context7');
  t.is(session.version, '2025-11-25');
  const legacy = lastMessage(await session.post(LIST_TOOLS)).result as ToolList & Json;
  t.deepEqual(names(legacy), ['query-docs', 'resolve-library-id']);
  t.is(legacy.resultType, undefined, 'a word that the older era does not have');
  t.deepEqual(names(lastMessage(modern).result as ToolList), names(legacy));
});

test('roots/list of the everything server has the id 0: it is asked of its own client, and what the client says counts', async (t) => {
  const [session, other] = [await greeted(t, 'everything'), await greeted(t, 'everything')];
  const [stream, stranger] = [await listening(t, session), await listening(t, other)];
  t.is((await session.post(INITIALIZED)).status, 202);
  const { id, ...question } = await messageOf(stream, 'roots/list');
  t.is(id, 0);
  t.deepEqual(question, { jsonrpc: '2.0', method: 'roots/list' });
  // The client's own 0 is another one, also while the server waits.
  t.is(textOf((await session.call(0, 'echo', { message: 'zero' })).result), 'Echo: zero');
  const roots = [{ uri: 'file:///of-the-first', name: 'first' }];
  t.is((await session.post({ jsonrpc: '2.0', id: 0, result: { roots } })).status, 202);
  t.regex(String((await messageOf(stream, 'notifications/message')).params?.data), /1 root/);
  t.regex(textOf((await session.call(1, 'get-roots-list')).result), /file:\/\/\/of-the-first/);

  // The other client is asked for itself, and has roots of its own.
  t.is((await other.post(INITIALIZED)).status, 202);
  t.is((await messageOf(stranger, 'roots/list')).id, 0);
  t.is((await other.post({ jsonrpc: '2.0', id: 0, result: { roots: [] } })).status, 202);
  t.regex(String((await messageOf(stranger, 'notifications/message')).params?.data), /0 root/);
  t.notRegex(textOf((await other.call(1, 'get-roots-list')).result), /of-the-first/);
});

test('what a server says before its answer to initialize waits for the client that it was said to', async (t) => {
  const name = await readyServer(t, 'early.py');
  const sessions = [await greeted(t, name), await greeted(t, name)];
  const said = await Promise.all(
    sessions.map(async (session) => {
      const stream = await listening(t, session);
      const change = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
      t.deepEqual(JSON.parse((await nextOf(stream)).data), change);
      return String((await messageOf(stream, 'notifications/message')).params?.data);
    }),
  );
  t.true(said.every((data) => /^early \d+ [0-9a-f]+$/.test(data)));
  t.not(said[0], said[1], 'each heard its own process');
});

/** A session whose client has not yet said that it is initialized. */
async function greeted(t: ExecutionContext, name: string): Promise<McpSession> {
  const answer = await postMcp(name, initializeRequest(ROOTS));
  t.regex(String(answer.headers['content-type']), /^application\/json/, 'the answer, and nothing beside it');
  const initialized = lastMessage(answer);
  const id = String(answer.headers['mcp-session-id']);
  const session = new McpSession(name, id, String(initialized.result?.protocolVersion), initialized);
  t.teardown(() => session.end());
  return session;
}

function listening(t: ExecutionContext, { server: name, headers }: McpSession): Promise<OpenStream> {
  return openEvents(t, 'GET', `/mcp/${name}`, { ...headers, accept: 'text/event-stream' });
}

/** The next message with this method; others before it can only be changes of lists. */
async function messageOf(stream: OpenStream, method: string): Promise<RpcMessage> {
  for (;;) {
    const message = JSON.parse((await nextOf(stream)).data) as RpcMessage;
    if (message.method === method) return message;
    if (message.method !== 'notifications/tools/list_changed')
      throw new Error(`unexpected ${message.method}`);
  }
}
