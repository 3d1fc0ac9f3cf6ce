import type { IncomingMessage } from 'node:http';
import {
  type ClientCapabilities,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import test, { type ExecutionContext } from 'ava';
import { textOf } from './harness.ts';
import { type McpSession, openSession, type RpcMessage, toolCall } from './mcp-session.ts';
import { connect } from './sdk-client.ts';
import { eventsOf } from './sse-events.ts';
import { until } from './until.ts';

const ALL_CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} };

test('a plain call is answered as JSON', async (t) => {
  const session = await openSession(t, 'plain');
  const answer = await session.post(toolCall(1, 'echo', { text: 'x' }));
  t.regex(String(answer.headers['content-type']), /^application\/json/);
});

test('progress reaches its client while the call runs, under the token the client chose', async (t) => {
  const session = await openSession(t, 'plain');
  const call = toolCall(1, 'progress', { steps: 3, ms: 1000 }, { progressToken: 'mine' });
  const seen: RpcMessage[] = [];
  const at: number[] = [];
  for await (const message of session.stream(call)) {
    seen.push(message);
    at.push(Date.now());
  }
  t.deepEqual(
    seen.slice(0, 3).map((message) => message.params),
    [1, 2, 3].map((progress) => ({ progressToken: 'mine', progress, total: 3 })),
  );
  t.is(seen[3]?.id, 1);
  t.is(seen.length, 4);
  // Three steps, a second after each: the first one came long before the answer.
  t.true((at[3] ?? 0) - (at[0] ?? 0) > 1000);
});

test('a progress token 0 is a token like any other', async (t) => {
  const session = await openSession(t, 'plain');
  const seen = await collect(session, toolCall(0, 'progress', { steps: 1, ms: 1 }, { progressToken: 0 }));
  t.is(seen[0]?.params?.progressToken, 0);
  t.is(seen[1]?.id, 0);
});

test('concurrent calls of two clients with the same ids and tokens get their own progress only', async (t) => {
  const sessions = [await openSession(t, 'plain'), await openSession(t, 'plain')];
  const both = await Promise.all(
    sessions.map((session, index) =>
      collect(session, toolCall(1, 'progress', { steps: index + 2, ms: 20 }, { progressToken: 1 })),
    ),
  );
  t.deepEqual(
    both.map((messages) => messages.length),
    [3, 4],
  );
});

test('log messages of a call come in the order they were sent, before its answer', async (t) => {
  const session = await openSession(t, 'plain');
  const seen = await collect(session, toolCall(1, 'log', { count: 50 }));
  t.deepEqual(
    seen.slice(0, 50).map((message) => (message.params?.data as { number: number } | undefined)?.number),
    Array.from({ length: 50 }, (_, number) => number),
  );
  t.is(seen.at(-1)?.id, 1);
});

const QUESTIONS = [
  ['sampling/createMessage', { role: 'assistant', model: 'm', content: { type: 'text', text: 'pong' } }],
  ['elicitation/create', { action: 'accept', content: { name: 'Ada' } }],
  ['roots/list', { roots: [{ uri: 'file:///work' }] }],
] as const;

for (const [method, reply] of QUESTIONS) {
  test(`a ${method} request of the server reaches the client and its answer comes back`, async (t) => {
    const session = await openSession(t, 'plain', { capabilities: ALL_CAPABILITIES });
    t.deepEqual(await askThrough(t, session, method, 4711, reply), reply);
  });
}

test('a server request under id 0 is answered like any other', async (t) => {
  const session = await openSession(t, 'plain', { capabilities: ALL_CAPABILITIES });
  const reply = { roots: [] };
  t.deepEqual(await askThrough(t, session, 'roots/list', 0, reply), reply);
});

test('a server request whose id equals that of the open call is told apart from it', async (t) => {
  const session = await openSession(t, 'plain', { capabilities: ALL_CAPABILITIES });
  const reply = { roots: [{ uri: 'file:///same-id' }] };
  t.deepEqual(await askThrough(t, session, 'roots/list', 1, reply), reply);
});

test('the official client answers sampling, elicitation and roots of the everything server', async (t) => {
  const asked: string[] = [];
  const { client } = await connect(t, 'everything', {
    capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } },
    prepare: (prepared) => {
      prepared.setRequestHandler(CreateMessageRequestSchema, () => {
        asked.push('sampling');
        return { role: 'assistant', model: 'm', content: { type: 'text', text: 'sampled here' } };
      });
      prepared.setRequestHandler(ElicitRequestSchema, () => {
        asked.push('elicitation');
        return { action: 'decline' };
      });
      prepared.setRequestHandler(ListRootsRequestSchema, () => {
        asked.push('roots');
        return { roots: [{ uri: 'file:///from-the-test', name: 'test' }] };
      });
    },
  });
  const sampled = await client.callTool({
    name: 'trigger-sampling-request',
    arguments: { prompt: 'x', maxTokens: 5 },
  });
  t.regex(textOf(sampled), /sampled here/);
  await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
  const roots = await client.callTool({ name: 'get-roots-list', arguments: {} });
  t.regex(textOf(roots), /from-the-test/);
  t.true(['sampling', 'elicitation', 'roots'].every((kind) => asked.includes(kind)));
});

test('the GET stream of a session is one only: a second is refused with 409', async (t) => {
  const session = await openSession(t, 'plain');
  const first = await stream(t, session);
  t.is(first.statusCode, 200);
  t.regex(String(first.headers['content-type']), /^text\/event-stream/);
  t.is((await stream(t, session)).statusCode, 409);
});

test('what a server says outside of calls comes over the GET stream', async (t) => {
  const session = await openSession(t, 'conformance');
  const opened = await stream(t, session);
  await session.post({
    jsonrpc: '2.0',
    id: 1,
    method: 'resources/subscribe',
    params: { uri: 'test://watched-resource' },
  });
  await session.call(2, 'bridge_unsolicited');
  const methods: unknown[] = [];
  for await (const event of eventsOf(opened)) {
    methods.push((JSON.parse(event.data) as RpcMessage).method);
    if (methods.includes('notifications/resources/updated')) break;
  }
  t.deepEqual(methods, ['notifications/tools/list_changed', 'notifications/resources/updated']);
});

test('a cancelled call gets no answer, the server is told, and the session goes on', async (t) => {
  const session = await openSession(t, 'conformance');
  const answers = collect(session, toolCall('slow', 'bridge_sleep', { ms: 30_000 }, { progressToken: 'p' }));
  await until('the call runs', async () => (await statsOf(session)).running === 2);
  const params = { requestId: 'slow', reason: 'changed my mind' };
  t.is((await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params })).status, 202);
  t.false((await answers).some((message) => message.id === 'slow' && message.result !== undefined));
  await until('the server has given the call up', async () => (await statsOf(session)).running === 1);
  t.like(await statsOf(session), { cancelled: 1 });
});

test('a client that goes away in the middle of a call cancels nothing and harms nobody', async (t) => {
  const session = await openSession(t, 'plain');
  for await (const message of session.stream(
    toolCall(1, 'progress', { steps: 20, ms: 50 }, { progressToken: 1 }),
  )) {
    t.is(message.params?.progress, 1);
    break; // closes the connection
  }
  t.is(textOf((await session.call(2, 'echo', { text: 'still here' })).result), 'still here');
});

test('a call over callTimeoutMs is answered with a typed error, and progress counts as a sign of life', async (t) => {
  const { readyServer } = await import('./own-server.ts');
  const name = await readyServer(t, 'plain.py', { timeouts: { callTimeoutMs: 3000, maxCallMs: 10_000 } });
  const session = await openSession(t, name);
  const silent = await session.call(1, 'sleep', { ms: 20_000 });
  t.like(silent.error, { code: -32000, data: { code: 'call_timeout' } });
  const lively = await collect(
    session,
    toolCall(2, 'progress', { steps: 5, ms: 1000 }, { progressToken: 2 }),
  );
  t.is(textOf(lively.at(-1)?.result), 'done');
  const endless = await collect(
    session,
    toolCall(3, 'progress', { steps: 60, ms: 1000 }, { progressToken: 3 }),
  );
  t.like(endless.at(-1)?.error, { data: { code: 'call_timeout' } });
});

test('what a client said at initialize decides what the server offers it', async (t) => {
  const offered = async (capabilities: ClientCapabilities): Promise<readonly string[]> => {
    const { client } = await connect(t, 'everything', { capabilities });
    return (await client.listTools()).tools.map(({ name }) => name);
  };
  const always = await offered({});
  const more = (await offered({ sampling: {}, roots: {} })).filter((tool) => !always.includes(tool));
  t.deepEqual(more.sort(), ['get-roots-list', 'trigger-sampling-request']);
});

async function collect(session: McpSession, body: unknown): Promise<readonly RpcMessage[]> {
  const seen: RpcMessage[] = [];
  for await (const message of session.stream(body)) seen.push(message);
  return seen;
}

async function stream(t: ExecutionContext, session: McpSession): Promise<IncomingMessage> {
  const opened = await session.openStream();
  t.teardown(() => {
    opened.destroy();
  });
  return opened;
}

async function statsOf(session: McpSession): Promise<{ running: number; cancelled: number }> {
  return JSON.parse(textOf((await session.call('stats', 'bridge_stats')).result));
}

/** Lets the server ask, answers the question, and gives back what the server says it got. */
async function askThrough(
  t: ExecutionContext,
  session: McpSession,
  method: string,
  id: number,
  reply: Record<string, unknown>,
): Promise<unknown> {
  for await (const message of session.stream(toolCall(1, 'ask', { method, id }))) {
    if (message.method === undefined) return JSON.parse(textOf(message.result));
    t.is(message.method, method);
    if (message.id === undefined) throw new Error('a request without an id');
    t.is((await session.post({ jsonrpc: '2.0', id: message.id, result: reply })).status, 202);
  }
  throw new Error('the stream ended without an answer');
}
