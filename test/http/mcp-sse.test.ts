import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import test, { type ExecutionContext } from 'ava';
import type { FakeChannel } from '../fakes/fake-channel.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { openEvents, startMcp } from './mcp-app.ts';

const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2024-11-05' } };
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** A process of 2024-11-05 that echoes, says a word before `chatty`, and keeps `stay/silent` open. */
function plays(channel: FakeChannel): void {
  channel.onSent = ({ id, method }) => {
    if (id === undefined || method === undefined || method === 'stay/silent') return;
    const initialized = {
      protocolVersion: '2024-11-05',
      capabilities: { tools: {} },
      serverInfo: { name: 'echo', version: '1' },
    };
    if (method === 'initialize') return channel.print({ id, result: initialized });
    if (method === 'chatty') channel.print({ method: 'notifications/message', params: { data: 'hm' } });
    if (method === 'tools/list') return channel.print({ id, result: { tools: [] } });
    channel.print({ id, result: {} });
  };
}

async function start(t: ExecutionContext, tokens = false) {
  const app = await startMcp(t, TEST_SPEC, tokens);
  app.pools.play = plays;
  const connect = async (headers: Record<string, string> = {}) => {
    const stream = await openEvents(app.port, 'GET', '/sse/echo', { headers });
    t.teardown(() => stream.leave());
    const endpoint = await stream.next();
    const address = endpoint?.data ?? '';
    const send = (body: unknown, more: Record<string, string> = headers) =>
      app.ask('POST', address, { body, headers: more });
    const message = async () => JSON.parse((await stream.next())?.data ?? 'null');
    return { ...stream, endpoint, address, send, message };
  };
  const channel = (): FakeChannel => app.pools.opened[0]?.channel as FakeChannel;
  return { ...app, connect, channel };
}

test('the stream names first where to post, and everything comes down the stream', async (t) => {
  const { connect, channel } = await start(t);
  const client = await connect();
  t.is(client.endpoint?.event, 'endpoint');
  t.regex(client.address, /^\/messages\/echo\?sessionId=[\w-]{16,}$/);
  const posted = await client.send(INITIALIZE);
  t.deepEqual([posted.status, posted.text], [202, '']);
  t.like(await client.message(), { id: 0, result: { protocolVersion: '2024-11-05' } });
  await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  t.is((await client.send({ ...PING, method: 'chatty' })).status, 202);
  t.is((await client.message()).method, 'notifications/message');
  t.like(await client.message(), { id: 1, result: {} });
  channel().print({ id: 0, method: 'roots/list' });
  t.like(await client.message(), { id: 0, method: 'roots/list' });
  await client.send({ jsonrpc: '2.0', id: 0, result: { roots: [] } });
  t.deepEqual(
    channel()
      .sent.slice(1)
      .map(({ method, result }) => method ?? result),
    ['notifications/initialized', 'chatty', { roots: [] }],
  );
});

test('the SSE client of the official SDK connects, lists and closes', async (t) => {
  const { url, pools, sessions } = await start(t);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new SSEClientTransport(new URL(`${url}/sse/echo`)));
  t.deepEqual((await client.listTools()).tools, []);
  t.is(sessions.count('echo'), 1);
  await client.close();
  while (pools.released.length === 0) await new Promise(setImmediate);
  t.is(sessions.count('echo'), 0);
});

test('the end of the stream ends the session, its replica, and its address', async (t) => {
  const { connect, pools, sessions } = await start(t);
  const client = await connect();
  await client.send(INITIALIZE);
  await client.message();
  await client.send({ ...PING, method: 'stay/silent' });
  client.leave();
  while (pools.released.length === 0) await new Promise(setImmediate);
  t.is(sessions.count('echo'), 0);
  const late = await client.send(PING);
  t.deepEqual([late.status, late.json.id, late.json.error.data.code], [404, 1, 'session_not_found']);
});

test('when the process dies, open calls end with an error on the stream, then the stream ends', async (t) => {
  const { connect, pools } = await start(t);
  const client = await connect();
  await client.send(INITIALIZE);
  await client.message();
  await client.send({ ...PING, method: 'stay/silent' });
  pools.opened[0]?.replica.fail({ code: 'oom', message: 'out of memory', exitCode: 137, stderr: [] });
  t.like(await client.message(), { id: 1, error: { data: { code: 'replica_failed', reason: 'oom' } } });
  t.is(await client.next(), null);
});

test('an address belongs to its principal and its server: for others it is not there', async (t) => {
  const { connect, ask } = await start(t, true);
  const client = await connect({ authorization: 'Bearer call-token' });
  const other = { authorization: 'Bearer admin-token' };
  t.is((await client.send(INITIALIZE, other)).json.error.data.code, 'session_not_found');
  t.is((await client.send(INITIALIZE, {})).status, 401);
  t.is((await ask('GET', '/sse/echo')).status, 401);
  const guessed = await ask('POST', '/messages/echo?sessionId=guessed', { headers: other, body: PING });
  t.is(guessed.status, 404);
  t.is((await client.send(INITIALIZE)).status, 202);
});

test('what cannot be taken is refused where it was posted', async (t) => {
  const { connect, ask } = await start(t);
  const client = await connect();
  const early = await client.send(PING);
  t.deepEqual([early.status, early.json.id, early.json.error.code], [400, 1, -32600]);
  await client.send(INITIALIZE);
  await client.message();
  t.is((await client.send({ ...INITIALIZE, id: 9 })).status, 400);
  t.is((await client.send([PING])).status, 400);
  await client.send({ ...PING, method: 'stay/silent' });
  t.regex((await client.send(PING)).json.error.message, /already open/);
  t.is((await ask('POST', '/messages/echo', { body: PING })).status, 400);
  t.is((await ask('POST', `${client.address}&sessionId=2`, { body: PING })).status, 400);
  t.is((await client.send(PING, { 'mcp-protocol-version': '1999-01-01' })).status, 400);
  t.is((await client.send(PING, { 'content-type': 'text/plain' })).status, 415);
});

test('the guards stand before this transport too', async (t) => {
  const { connect, ask } = await start(t);
  const { address } = await connect();
  for (const [method, path] of [
    ['GET', '/sse/echo'],
    ['POST', address],
  ] as const) {
    t.is((await ask(method, path, { headers: { origin: 'https://evil.example' } })).status, 403);
    t.is((await ask(method, path, { headers: { host: 'evil.example' } })).status, 403);
  }
  t.is((await ask('GET', '/sse/nobody')).json.error.data.code, 'server_not_found');
  t.is((await ask('POST', '/messages/nobody?sessionId=x', { body: PING })).status, 404);
  t.is((await ask('HEAD', '/sse/echo')).status, 405);
  t.is((await ask('POST', '/sse/echo', { body: PING })).status, 405);
  t.is((await ask('GET', '/sse/echo', { headers: { accept: 'application/json' } })).status, 406);
});

test('a stream whose client never initializes is given up', async (t) => {
  const { connect, clock } = await start(t);
  const client = await connect();
  clock.advance(60_000);
  t.is(await client.next(), null);
});

test('a refused handshake is told on the stream, and may be tried again', async (t) => {
  const { connect, pools, sessions } = await start(t);
  pools.play = (channel) => {
    channel.onSent = ({ id }) => channel.print({ id, error: { code: -32602, message: 'no' } });
  };
  const client = await connect();
  await client.send(INITIALIZE);
  t.like(await client.message(), { id: 0, error: { code: -32602 } });
  t.is(sessions.count('echo'), 0);
  pools.play = plays;
  await client.send(INITIALIZE);
  t.like(await client.message(), { id: 0, result: { protocolVersion: '2024-11-05' } });
});
