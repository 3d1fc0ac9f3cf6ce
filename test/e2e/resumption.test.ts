import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import test from 'ava';
import { baseUrl, expectStatus, server, textOf } from './harness.ts';
import { BOTH_KINDS, openSession, type RpcMessage, toolCall } from './mcp-session.ts';
import { nextOf, openEvents } from './sse-stream.ts';
import { until } from './until.ts';

test('a client that loses its connection again and again gets every message of its call once', async (t) => {
  const session = await openSession(t, 'plain');
  const steps = 12;
  const call = toolCall(1, 'progress', { steps, ms: 150 }, { progressToken: 'mine' });
  const headers = { ...session.headers, accept: BOTH_KINDS };
  let stream = await openEvents(
    t,
    'POST',
    '/mcp/plain',
    { ...headers, 'content-type': 'application/json' },
    JSON.stringify(call),
  );
  const seen: RpcMessage[] = [];
  while (seen.at(-1)?.id !== 1) {
    const event = await nextOf(stream);
    seen.push(JSON.parse(event.data) as RpcMessage);
    if (seen.length % 3 !== 0 || seen.at(-1)?.id === 1) continue;
    stream.leave();
    stream = await openEvents(t, 'GET', '/mcp/plain', { ...headers, 'last-event-id': event.id ?? '' });
    t.is(stream.response.statusCode, 200);
  }
  t.deepEqual(
    seen.slice(0, -1).map(({ params }) => params?.progress),
    Array.from({ length: steps }, (_, index) => index + 1),
  );
});

test('the SSE client of the official SDK initializes, lists and calls, and its session ends with it', async (t) => {
  const before = (await server('everything')).sessions;
  const client = new Client({ name: 'gantry-tests', version: '1.0.0' });
  const transport = new SSEClientTransport(new URL(`${baseUrl}/sse/everything`));
  t.teardown(() => client.close());
  await client.connect(transport as Parameters<Client['connect']>[0]);
  t.true((await client.listTools()).tools.length >= 13);
  t.regex(textOf(await client.callTool({ name: 'echo', arguments: { message: 'over SSE' } })), /over SSE/);
  const progress: number[] = [];
  await client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } },
    undefined,
    { onprogress: (step) => progress.push(step.progress) },
  );
  // The last step and the result may come in one read; the client then forgets the handler before it hears the step.
  t.deepEqual(progress.slice(0, 3), [1, 2, 3]);
  await client.close();
  await until('the session is over', async () => (await server('everything')).sessions <= before);
});

test('a batch is answered as one array by a server that agreed on 2025-03-26', async (t) => {
  const session = await openSession(t, 'plain', { version: '2025-03-26' });
  t.is(session.version, '2025-03-26');
  const batch = [toolCall(1, 'echo', { text: 'a' }), toolCall('b', 'echo', { text: 'b' })];
  const answers = await expectStatus<RpcMessage[]>(200, session.post(batch));
  t.deepEqual(
    answers.map(({ id }) => id),
    [1, 'b'],
  );
});
