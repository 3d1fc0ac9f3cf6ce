import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import test, { type ExecutionContext } from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { type Json, type Server, textOf } from '../e2e/harness.ts';
import { initializeRequest } from '../e2e/mcp-session.ts';
import { rawRequest } from '../e2e/raw-http.ts';
import { type Beside, startBeside } from '../e2e/second-orchestrator.ts';

// The earlier mesh's nineteen, on an orchestrator of their own: as they are configured, all at once, on their ports.
const directory = join(import.meta.dirname, '../../catalog');
const loaded = loadConfig(readFileSync(join(directory, 'origin.yaml'), 'utf8'), { baseDir: directory });
const servers = loaded.ok ? loaded.servers : [];
const enabled = servers.filter(({ disabled }) => disabled === null);
const disabled = servers.filter((one) => one.disabled !== null);

/** One call of each that runs, and what its answer shows. */
const CALLS: Readonly<Record<string, readonly [tool: string, args: Json, answer: RegExp]>> = {
  'claude-flow': ['agent_list', {}, /agents/],
  'ruv-swarm': ['features_detect', {}, /webassembly/],
  files: ['write_file', { path: '/data/note.txt', content: 'kept' }, /Successfully wrote/],
  sequentialthinking: [
    'sequentialthinking',
    { thought: 'one', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 },
    /"thoughtHistoryLength": 1/,
  ],
  'extended-memory': [
    'create_entities',
    { entities: [{ name: 'mesh', entityType: 'thing', observations: ['it runs'] }] },
    /it runs/,
  ],
  ultimatecoder: ['start_process', { command: 'echo $((6 * 7))', timeout_ms: 5000 }, /\b42\b/],
  'playwright-mcp': [
    'browser_navigate',
    { url: 'data:text/html,<title>Inside</title><h1>Here</h1>' },
    /Inside/,
  ],
  'memory-bank-mcp': [
    'memory_bank_write',
    { projectName: 'mesh', fileName: 'note.md', content: 'kept' },
    /written successfully/,
  ],
  'knowledge-graph-mcp': ['read_graph', {}, /"entities": \[\]/],
  'language-server': [
    'find_definition',
    { file_path: '/workspace/greet.ts', symbol_name: 'greet' },
    /greet\.ts:2/,
  ],
  'claude-task-runner': ['list_tasks', { status: 'all' }, /./],
};

/** The same for who comes second: an entity is new only once. */
const ANOTHER_CALL: typeof CALLS = {
  ...CALLS,
  'extended-memory': [
    'create_entities',
    { entities: [{ name: 'endpoint', entityType: 'thing', observations: ['it is one'] }] },
    /it is one/,
  ],
};

let mesh: Beside;

test.before(async (t) => {
  t.timeout(900_000);
  const names = enabled.map(({ name }) => name);
  const ports = servers.map(({ port }) => port ?? 0);
  mesh = await startBeside({ directory, file: 'origin.yaml', names, ports, readyMs: 800_000 });
});

test.after.always(async () => {
  await mesh?.end();
});

function ask(method: string, path: string) {
  const headers = { authorization: `Bearer ${mesh.adminToken}` };
  return rawRequest(new URL(path, mesh.url), { method, headers });
}

/** @param url of a port of its own, or of all servers */
async function clientAt(t: ExecutionContext, url: string): Promise<Client> {
  const client = new Client({ name: 'gantry-tests', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url));
  await client.connect(transport as Parameters<Client['connect']>[0]);
  t.teardown(async () => {
    await transport.terminateSession();
    await client.close();
  });
  return client;
}

test('the nineteen are on the ports they always had, and as many of them run as can', async (t) => {
  t.deepEqual(
    servers.map(({ port }) => port),
    Array.from({ length: 19 }, (_, index) => 3001 + index),
  );
  const { servers: listed } = JSON.parse((await ask('GET', '/api/v1/servers')).text) as { servers: Server[] };
  const states = Object.fromEntries(listed.map(({ name, state }) => [name, state]));
  t.is(listed.length, 19);
  t.deepEqual(
    enabled.map(({ name }) => states[name]).filter((state) => state !== 'ready' && state !== 'paused'),
    [],
  );
  t.deepEqual(
    disabled.map(({ name }) => [name, states[name]]),
    disabled.map(({ name }) => [name, 'disabled']),
  );
  t.deepEqual(
    Object.keys(CALLS).sort(),
    enabled.map(({ name }) => name).sort(),
    'each that runs is called below',
  );
  const limits = enabled.reduce((sum, { resources }) => sum + resources.memoryBytes, 0);
  t.true(limits <= 8 * 1024 ** 3, 'all of them fit the memory that the engine has by default');
});

for (const { name, port } of enabled) {
  test(`${name} lists its tools and does its work on port ${port}`, async (t) => {
    t.timeout(120_000);
    const client = await clientAt(t, await mesh.urlOfPort(port ?? 0));
    const [tool, args, answer] = CALLS[name] ?? ['', {}, /./];
    const { tools } = await client.listTools();
    t.true(tools.some((listed) => listed.name === tool));
    t.regex(textOf(await client.callTool({ name: tool, arguments: args })), answer);
  });
}

test('all that run are listed at the one address of all, and each does its work there', async (t) => {
  t.timeout(240_000);
  const client = await clientAt(t, mesh.url);
  const own = enabled.map(async ({ name }) => {
    const { tools } = JSON.parse((await ask('GET', `/api/v1/servers/${name}/tools`)).text);
    return (tools as { name: string }[]).map((tool) => `${name}__${tool.name}`);
  });
  const { tools } = await client.listTools();
  t.deepEqual(tools.map((tool) => tool.name).sort(), (await Promise.all(own)).flat().sort());
  for (const { name } of enabled) {
    const [tool, args, answer] = ANOTHER_CALL[name] ?? ['', {}, /./];
    const called = await client.callTool({ name: `${name}__${tool}`, arguments: args });
    t.regex(textOf(called), answer, name);
  }
});

test('one that is disabled has no container, and says on its port and to every verb why', async (t) => {
  const prefix = `label=gantry.owner=${mesh.owner}`;
  t.true((await mesh.containersOnEngine()).length >= enabled.length, prefix);
  for (const one of disabled) {
    const answer = await rawRequest(new URL('/mcp', await mesh.urlOfPort(one.port ?? 0)), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(initializeRequest()),
    });
    t.is(answer.status, 409, one.name);
    t.true(answer.text.includes(`Server ${one.name} is disabled: ${one.disabled}`), answer.text);
    for (const verb of ['start', 'stop', 'restart']) {
      const refused = await ask('POST', `/api/v1/servers/${one.name}/${verb}`);
      t.is(refused.status, 409);
      t.is(JSON.parse(refused.text).error.code, 'invalid_state');
    }
  }
});
