import { createHash } from 'node:crypto';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  McpError,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { api, callTool, containersOf, expectStatus, type Json, server, textOf } from './harness.ts';
import { openSession } from './mcp-session.ts';
import { modernCall } from './modern-client.ts';
import { imageOf, makeServer, untilReady } from './own-server.ts';
import { connect } from './sdk-client.ts';
import { until } from './until.ts';

/** The fixture of test/stack/gantry.yaml that knows only 2026-07-28. */
const MODERN = 'modern-only';
const ASKED = { elicitation: {}, sampling: {}, roots: {} };

/** The official client with an answer to everything; what it was asked is written down. */
async function answering(t: ExecutionContext, name: string) {
  const asked: string[] = [];
  const { client } = await connect(t, name, {
    capabilities: ASKED,
    prepare(made) {
      made.setRequestHandler(ElicitRequestSchema, ({ params }) => {
        asked.push(`elicitation: ${params.message}`);
        const content = { name: 'Ada', color: 'green', context: 'here', ok: true };
        return { action: 'accept', content };
      });
      made.setRequestHandler(CreateMessageRequestSchema, () => {
        asked.push('sampling');
        return { role: 'assistant', model: 'none', content: { type: 'text', text: 'Paris' } };
      });
      made.setRequestHandler(ListRootsRequestSchema, () => {
        asked.push('roots');
        return { roots: [{ uri: 'file:///here' }] };
      });
    },
  });
  const call = async (tool: string, args: Json = {}): Promise<string> =>
    textOf(await client.callTool({ name: tool, arguments: args }));
  return { client, call, asked };
}

test('the official client of sessions lists, calls and reads at a server that knows none', async (t) => {
  const { client, call } = await answering(t, MODERN);
  t.is(client.getServerVersion()?.name, 'conformance-stdio-fixture');
  const { tools } = await client.listTools();
  t.is(tools.length, 38);
  t.true(tools.every((tool) => !('ttlMs' in tool)));
  const { arguments: given, _meta: meta } = JSON.parse(await call('bridge_echo', { a: 1 }));
  t.deepEqual(given, { a: 1 });
  t.is(meta['io.modelcontextprotocol/protocolVersion'], '2026-07-28');
  t.is(meta['io.modelcontextprotocol/clientInfo'].name, 'gantry-tests');
  t.deepEqual(meta['io.modelcontextprotocol/clientCapabilities'], ASKED);
  const { contents } = await client.readResource({ uri: 'test://static-text' });
  t.like(contents[0], { text: 'static text' });
  const error = await t.throwsAsync(client.readResource({ uri: 'test://nowhere' }), { instanceOf: McpError });
  t.is((error as McpError).code, -32002);
  await client.ping();
  t.is((await client.listPrompts()).prompts.length, 5);
});

for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
  test(`a session of revision ${version} is served by a server that knows none`, async (t) => {
    const session = await openSession(t, MODERN, { version });
    t.is(session.version, version);
    const { result } = await session.call(0, 'bridge_echo', { a: 1 });
    t.true(textOf(result).startsWith('{"arguments":{"a":1}'));
    t.deepEqual(Object.keys(result ?? {}), ['content']);
  });
}

test('questions of a server without sessions reach the client of a session as its requests', async (t) => {
  const { call, asked, client } = await answering(t, MODERN);
  t.is(await call('test_input_required_result_elicitation'), 'Hello, Ada!');
  t.is(await call('test_input_required_result_sampling'), 'Paris');
  t.is(await call('test_input_required_result_list_roots'), 'file:///here');
  t.is(await call('test_input_required_result_request_state'), 'state-ok');
  t.is(await call('test_input_required_result_multiple_inputs'), 'all three received');
  const once = asked.splice(0);
  t.is(once.length, 7);
  t.is(await call('test_input_required_result_multi_round'), 'Ada likes green');
  t.deepEqual(asked, ['elicitation: Name?', 'elicitation: Colour?']);
  const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' });
  t.is(prompt.messages.length > 0, true);
});

test('a client that offers nothing is told what the tool needs', async (t) => {
  const { client } = await connect(t, MODERN);
  const error = await t.throwsAsync(client.callTool({ name: 'test_missing_capability' }), {
    instanceOf: McpError,
  });
  t.is((error as McpError).code, -32602);
  t.deepEqual((error as McpError).data, { requiredCapabilities: { sampling: {} } });
});

test('progress comes, and a cancellation reaches a server without sessions', async (t) => {
  const { client, call } = await answering(t, MODERN);
  const steps: number[] = [];
  await client.callTool({ name: 'bridge_sleep', arguments: { ms: 50 } }, undefined, {
    onprogress: ({ progress }) => steps.push(progress),
  });
  t.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  const sleeping = client.callTool({ name: 'bridge_sleep', arguments: { ms: 60_000 } }, undefined, {
    signal: abort.signal,
    onprogress: () => begun.resolve(),
  });
  await Promise.race([begun.promise, sleeping]);
  abort.abort('enough');
  await t.throwsAsync(sleeping);
  await until('the server has heard of it', async () => {
    const stats = JSON.parse(await call('bridge_stats')) as { cancelled: number; running: number };
    return stats.cancelled === 1 && stats.running === 2; // the one that tells, and the subscription to lists
  });
});

test('log messages come once a level was set, and changes come to a session at a server without sessions', async (t) => {
  const { client, call } = await answering(t, MODERN);
  const logged: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logged.push(params.data);
  });
  const listed = Promise.withResolvers<void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => listed.resolve());
  const updated = Promise.withResolvers<string>();
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
    updated.resolve(params.uri),
  );
  await call('test_logging_tool');
  await client.setLoggingLevel('info');
  await call('test_logging_tool');
  t.deepEqual(logged, ['diagnostic']);
  await client.subscribeResource({ uri: 'test://watched-resource' });
  await call('bridge_unsolicited');
  await listed.promise;
  t.is(await updated.promise, 'test://watched-resource');
  await client.unsubscribeResource({ uri: 'test://watched-resource' });
  const { listeners } = JSON.parse(await call('bridge_stats')) as { listeners: number };
  t.is(listeners, 1, 'only its lists are listened to');
});

test('a client without sessions is relayed to the server that has none, its state sealed', async (t) => {
  const tool = { name: 'test_input_required_result_elicitation' };
  const question = (await modernCall(MODERN, 'tools/call', tool, ASKED)).result;
  t.is(question?.resultType, 'input_required');
  const inputResponses = { user_name: { action: 'accept', content: { name: 'Ada' } } };
  const { requestState } = question ?? {};
  const retry = { ...tool, inputResponses, ...(requestState === undefined ? {} : { requestState }) };
  const { result } = await modernCall(MODERN, 'tools/call', retry, ASKED);
  t.is(textOf(result), 'Hello, Ada!');
  const discovered = await modernCall(MODERN, 'server/discover');
  t.deepEqual(discovered.result?.supportedVersions, ['2026-07-28']);
});

test('the API lists and calls the tools of a server that knows no sessions', async (t) => {
  const { tools } = await expectStatus<{ tools: Json[] }>(200, api('GET', `/api/v1/servers/${MODERN}/tools`));
  t.is(tools.length, 38);
  t.true((await callTool(MODERN, 'bridge_echo', { a: 1 })).startsWith('{"arguments":{"a":1}'));
  const path = `/api/v1/servers/${MODERN}/tools/test_missing_capability`;
  const { error } = await expectStatus<{ error: Json }>(502, api('POST', path, { body: {}, token: null }));
  t.is(error.code, 'mcp_error');
});

test('the API says which eras a server speaks', async (t) => {
  const eras = { [MODERN]: 'modern', conformance: 'both', everything: 'legacy' };
  for (const [name, era] of Object.entries(eras)) {
    await untilReady(name);
    const seen = await until(`the era of ${name}`, async () => (await server(name)).era);
    t.is(seen, era, name);
  }
  t.like(await server(MODERN), { protocolVersion: '2026-07-28', toolCount: 38 });
});

test('verdicts are kept in Redis, by the content of the image', async (t) => {
  await until('the era', async () => (await server(MODERN)).era);
  const url = new URL(process.env.GANTRY_TEST_REDIS_URL ?? '');
  url.pathname = '/0'; // the orchestrator's own, not the one for tests
  const redis = new Redis(url.href);
  t.teardown(() => redis.quit());
  const keys = await redis.keys('gantry:era:*');
  t.true(
    keys.every((key) => key.length === 'gantry:era:'.length + createHash('sha256').digest('hex').length),
  );
  const verdicts = await Promise.all(keys.map((key) => redis.get(key)));
  t.true(verdicts.includes(JSON.stringify({ era: 'modern', mixed: false })), verdicts.join());
});

for (const way of ['modern-silent', 'modern-exits']) {
  test(`a server that knows no sessions and is ${way.replace('-', ': ')} at initialize becomes ready and serves`, async (t) => {
    const entry = { image: await imageOf('conformance'), env: { MCP_FIXTURE_ERA: way } };
    const name = await makeServer(t, way, entry);
    await untilReady(name);
    t.is((await server(name)).era, 'modern');
    const { call } = await answering(t, name);
    t.is(await call('test_input_required_result_elicitation'), 'Hello, Ada!');
  });
}

for (const era of ['modern', 'both']) {
  test(`four replicas of a shared server of era ${era} share the calls of clients of both kinds`, async (t) => {
    const env = era === 'both' ? {} : { MCP_FIXTURE_ERA: era };
    const image = await imageOf('conformance');
    const name = await makeServer(t, 'spread', { image, env, sharing: 'shared', replicas: 4 });
    await until('four replicas', async () => (await server(name)).replicas.ready === 4, {
      timeoutMs: 90_000,
    });
    await until('the era', async () => (await server(name)).era === era);
    const hosts = new Map<string, number>();
    const count = (host: string): void => void hosts.set(host, (hosts.get(host) ?? 0) + 1);
    for (let call = 0; call < 40; call++) {
      const tool = { name: 'bridge_env', arguments: { name: 'HOSTNAME' } };
      count(textOf((await modernCall(name, 'tools/call', tool)).result));
    }
    t.deepEqual([...hosts.values()], [10, 10, 10, 10]);
    const { call } = await answering(t, name);
    for (let round = 0; round < 8; round++) count(await call('bridge_env', { name: 'HOSTNAME' }));
    t.is(hosts.size, 4);
    t.is((await containersOf(name)).length, 4, 'no process beside the four');
    if (era === 'modern') t.is(await call('test_input_required_result_multi_round'), 'Ada likes green');
  });
}
