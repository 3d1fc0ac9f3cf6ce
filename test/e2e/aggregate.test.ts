import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import test from 'ava';
import { containersOf, type Json, textOf } from './harness.ts';
import { BOTH_KINDS, initializeRequest, openSession, type RpcMessage, toolCall } from './mcp-session.ts';
import { modernBody, modernCall, modernHeaders } from './modern-client.ts';
import { imageOf, makeServer, untilReady } from './own-server.ts';
import { connect } from './sdk-client.ts';
import { nextOf, openEvents, openSse } from './sse-stream.ts';
import { until } from './until.ts';

/** Both have the same tools and resources; one knows only sessions well, the other knows none. */
const TWINS = '@twins';
const OWNERS = ['conformance', 'modern-only'] as const;
const STATIC = 'test://static-text';
const WATCHED = 'test://watched-resource';

test.before(async () => {
  for (const name of OWNERS) await untilReady(name, 180_000);
});

for (const owner of OWNERS) {
  test(`a tool of ${owner} is called by its name among others, in both eras`, async (t) => {
    const session = await openSession(t, TWINS);
    const { result } = await session.call(1, `${owner}__bridge_echo`, { a: 1 });
    t.true(textOf(result).startsWith('{"arguments":{"a":1}'));
    const modern = await modernCall(TWINS, 'tools/call', {
      name: `${owner}__bridge_echo`,
      arguments: { a: 2 },
    });
    t.true(textOf(modern.result).startsWith('{"arguments":{"a":2}'));
  });

  test(`a resource of ${owner} is read under its own URI, though both have one of the same, in both eras`, async (t) => {
    const uri = `${owner}+${STATIC}`;
    const { client } = await connect(t, TWINS);
    const { resources } = await client.listResources();
    t.is(resources.filter((resource) => resource.uri === uri).length, 1);
    t.like((await client.readResource({ uri })).contents[0], { uri, text: 'static text' });
    const { contents } = (await modernCall(TWINS, 'resources/read', { uri })).result as { contents: Json[] };
    t.like(contents[0], { uri, text: 'static text' });
    const { content } = await client.callTool({ name: `${owner}__test_embedded_resource` });
    t.like((content as Json[])[0], { resource: { uri: `${owner}+test://embedded-resource` } });
  });

  test(`${owner} asks the client of a session on several servers`, async (t) => {
    const { client } = await connect(t, TWINS, {
      capabilities: { elicitation: {}, sampling: {} },
      prepare(made) {
        made.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
        made.setRequestHandler(CreateMessageRequestSchema, () => ({
          role: 'assistant',
          model: 'none',
          content: { type: 'text', text: 'Paris' },
        }));
      },
    });
    const call = async (tool: string): Promise<string> =>
      textOf(await client.callTool({ name: `${owner}__${tool}` }));
    t.is(await call('test_input_required_result_elicitation'), 'Hello, Ada!');
    t.is(await call('test_input_required_result_sampling'), 'Paris');
  });

  test(`${owner} asks a client without a session, and the retry reaches the same call`, async (t) => {
    const name = `${owner}__test_input_required_result_elicitation`;
    const can = { elicitation: {} };
    const asked = (await modernCall(TWINS, 'tools/call', { name }, can)).result as Json;
    t.is(asked.resultType, 'input_required');
    const [question = ''] = Object.keys(asked.inputRequests as Json);
    const inputResponses = { [question]: { action: 'accept', content: { name: 'Ada' } } };
    const { requestState } = asked;
    const params = { name, inputResponses, ...(requestState === undefined ? {} : { requestState }) };
    t.is(textOf((await modernCall(TWINS, 'tools/call', params, can)).result), 'Hello, Ada!');
  });

  test(`changes that ${owner} tells of reach a session on several servers, with the URI that it knows`, async (t) => {
    const heard = heardBy();
    const { client } = await connect(t, TWINS, {
      prepare(made) {
        made.setNotificationHandler(ToolListChangedNotificationSchema, () => heard.note('tools'));
        made.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
          heard.note(params.uri),
        );
      },
    });
    const uri = `${owner}+${WATCHED}`;
    await client.subscribeResource({ uri });
    await client.callTool({ name: `${owner}__bridge_unsolicited` });
    await heard.all('tools', uri);
    t.deepEqual(
      [...heard.words].filter((word) => word !== 'tools'),
      [uri],
    );
  });

  test(`changes that ${owner} tells of reach a subscription to several servers`, async (t) => {
    const uri = `${owner}+${WATCHED}`;
    const notifications = { toolsListChanged: true, resourceSubscriptions: [uri, 'nobody+x:y'] };
    const body = modernBody('subscriptions/listen', { notifications });
    const headers = {
      ...modernHeaders('subscriptions/listen'),
      'content-type': 'application/json',
      accept: BOTH_KINDS,
    };
    const stream = await openEvents(t, 'POST', `/mcp/${TWINS}`, headers, JSON.stringify(body));
    const acknowledged = JSON.parse((await nextOf(stream)).data) as RpcMessage;
    t.is(acknowledged.method, 'notifications/subscriptions/acknowledged');
    t.deepEqual(acknowledged.params?.notifications, { toolsListChanged: true, resourceSubscriptions: [uri] });
    await modernCall(TWINS, 'tools/call', { name: `${owner}__bridge_unsolicited` });
    const heard = new Set<unknown>();
    while (!(heard.has(uri) && heard.has('notifications/tools/list_changed'))) {
      const { method, params } = JSON.parse((await nextOf(stream)).data) as RpcMessage;
      heard.add(method === 'notifications/resources/updated' ? params?.uri : method);
      t.like(params, { _meta: { 'io.modelcontextprotocol/subscriptionId': body.id } });
    }
  });
}

test('log messages name their server, a level holds for those that are used later, and progress comes', async (t) => {
  const heard = heardBy();
  const { client } = await connect(t, TWINS, {
    prepare(made) {
      made.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) =>
        heard.note(String(params.logger)),
      );
    },
  });
  await client.setLoggingLevel('info');
  for (const owner of OWNERS) {
    const steps: number[] = [];
    await client.callTool({ name: `${owner}__test_tool_with_logging` });
    await client.callTool({ name: `${owner}__bridge_sleep`, arguments: { ms: 50 } }, undefined, {
      onprogress: ({ progress }) => steps.push(progress),
    });
    t.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await heard.all(`${owner}/fixture`);
  }
  t.is(heard.words.size, 2);
});

test('a server that dies ends its calls with a typed error, and the session goes on with another process', async (t) => {
  const session = await openSession(t, TWINS);
  const { error } = await session.call(1, 'conformance__bridge_crash', { code: 3 });
  t.like(error, { data: { code: 'replica_failed', mayHaveRun: true } });
  const { result } = await session.call(2, 'conformance__bridge_echo', { a: 1 });
  t.true(textOf(result).startsWith('{"arguments":{"a":1}'));
  t.like((await session.call(3, 'modern-only__bridge_echo')).result, { content: [{ type: 'text' }] });
});

test('a session on several servers holds processes only of those that it calls, and its end ends them', async (t) => {
  const name = await makeServer(t, 'held', { image: await imageOf('conformance') });
  await untilReady(name);
  const ofSessions = async (): Promise<number> =>
    (await containersOf(name)).filter(({ heldBy }) => heldBy === 'session').length;
  const session = await openSession(t, '');
  t.is(await ofSessions(), 0);
  const [first, second] = [
    await session.call(1, `${name}__bridge_stats`),
    await session.call(2, `${name}__bridge_stats`),
  ];
  t.is(processOf(first), processOf(second));
  t.is(await ofSessions(), 1);
  t.is((await session.end()).status, 204);
  await until('its process is gone', async () => (await ofSessions()) === 0);
  t.is((await session.post({ jsonrpc: '2.0', id: 3, method: 'ping' })).status, 404);
});

test('clients of the transport of 2024-11-05 are served several servers too', async (t) => {
  const stream = await openSse(t, TWINS);
  const ask = async (body: Json): Promise<RpcMessage> => {
    t.is((await stream.post(body)).status, 202);
    return JSON.parse((await nextOf(stream)).data);
  };
  t.like((await ask(initializeRequest({ version: '2024-11-05' }))).result, {
    serverInfo: { name: 'gantry' },
  });
  const { result } = await ask(toolCall(1, 'conformance__bridge_echo', { a: 1 }));
  t.true(textOf(result).startsWith('{"arguments":{"a":1}'));
});

/** What tells a process from another. */
function processOf(answer: RpcMessage): unknown {
  return (JSON.parse(textOf(answer.result)) as { started: number }).started;
}

/** Collects words until all that are awaited have come. */
function heardBy() {
  const words = new Set<string>();
  let wake = (): void => {};
  return {
    words,
    note(word: string): void {
      words.add(word);
      wake();
    },
    async all(...wanted: readonly string[]): Promise<void> {
      while (!wanted.every((word) => words.has(word))) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
