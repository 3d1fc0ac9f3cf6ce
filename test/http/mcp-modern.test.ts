import { request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { mcpError, mcpRoute } from '../../orchestrator/http/index.ts';
import { systemClock } from '../../orchestrator/kernel/index.ts';
import { MemoryEventLog, Sessions, StatelessCalls } from '../../orchestrator/session/index.ts';
import type { FakeChannel, SentMessage } from '../fakes/fake-channel.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testEndpoints } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';
import { startApp } from './ask.ts';

const NS = 'io.modelcontextprotocol/';
const META = { [`${NS}protocolVersion`]: '2026-07-28', [`${NS}clientCapabilities`]: {} };
const ACCEPT = { accept: 'application/json, text/event-stream' };

type Play = (message: SentMessage, channel: FakeChannel) => boolean;

async function setUp(t: ExecutionContext, play: Play = () => false) {
  const pools = new FakePools({ ...TEST_SPEC, maxSessions: 20 });
  const standard = pools.play;
  pools.play = (channel) => {
    standard(channel);
    const others = channel.onSent;
    channel.onSent = (message) => {
      if (message.method === 'server/discover')
        channel.print({ id: message.id, error: { code: -32601, message: 'unknown' } });
      else if (!play(message, channel)) others(message);
    };
  };
  const router = testRouter(pools);
  const encodeError = (id: string | number, error: unknown): string =>
    JSON.stringify(mcpError(error, id).body);
  const stateless = new StatelessCalls({ router, clock: systemClock, facts: pools.facts, encodeError });
  const log = new MemoryEventLog({ clock: systemClock });
  const sessions = new Sessions({
    endpoints: testEndpoints(router, pools, systemClock),
    clock: systemClock,
    facts: pools.facts,
    encodeError,
    log,
  });
  t.teardown(() => {
    stateless.close();
    sessions.close();
  });
  const checkServer = (name: string): void => void router.spec(name);
  const app = await startApp(t, {
    mcp: mcpRoute({ sessions, stateless, maxBodyBytes: 65_536, checkServer }),
  });
  const post = (
    method: string,
    options: {
      params?: Record<string, unknown>;
      headers?: Record<string, string>;
      meta?: object | null;
      id?: number | null;
    } = {},
  ) => {
    const _meta = options.meta === undefined ? META : options.meta;
    const params = { ...options.params, ...(_meta === null ? {} : { _meta }) };
    const id = options.id === null ? {} : { id: options.id ?? 1 };
    const headers = {
      ...ACCEPT,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...options.headers,
    };
    return app.ask('POST', '/mcp/echo', { headers, body: { jsonrpc: '2.0', ...id, method, params } });
  };
  return { ...app, pools, post };
}

test('a request without a session is served on the same address, and no session is made for it', async (t) => {
  const { post } = await setUp(t);
  const answer = await post('tools/list', { headers: { 'mcp-session-id': 'whatever' } });
  t.is(answer.status, 200);
  t.is(answer.headers['mcp-session-id'], undefined);
  t.like(answer.json, { id: 1, result: { resultType: 'complete', method: 'tools/list' } });
});

test('every fault of a request has its status and number', async (t) => {
  const { post, pools } = await setUp(t);
  const future = { ...META, [`${NS}protocolVersion`]: '2030-01-01' };
  const call = { params: { name: 'a' }, headers: { 'mcp-name': 'b' } };
  const cases = [
    [await post('tools/list', { meta: null }), 400, -32602],
    [await post('tools/list', { meta: {} }), 400, -32602],
    [await post('tools/list', { headers: { 'mcp-protocol-version': '2025-11-25' } }), 400, -32020],
    [await post('tools/list', { headers: { 'mcp-method': 'tools/call' } }), 400, -32020],
    [await post('tools/call', call), 400, -32020],
    [
      await post('tools/list', { meta: future, headers: { 'mcp-protocol-version': '2030-01-01' } }),
      400,
      -32022,
    ],
    [await post('ping'), 404, -32601],
    [await post('initialize'), 404, -32601],
    [await post('no/such'), 404, -32601],
    [
      await post('prompts/get', { params: { name: 'a', requestState: 'x' }, headers: { 'mcp-name': 'a' } }),
      400,
      -32602,
    ],
  ] as const;
  for (const [answer, status, number] of cases) {
    t.deepEqual([answer.status, answer.json.error.code, answer.json.id], [status, number, 1]);
  }
  t.deepEqual(cases[5][0].json.error.data.supported, ['2026-07-28']);
  t.deepEqual(cases[9][0].json.error.data, { reason: 'forged', code: 'request_state_refused' });
  const known = ['server/discover', 'initialize', 'notifications/initialized', undefined];
  for (const { channel } of pools.opened)
    for (const { method } of channel.sent) t.true(known.includes(method));
});

test('errors of a server: no such method is 404, anything else rides on 200', async (t) => {
  const { post } = await setUp(t, ({ id, method }, channel) => {
    const code = method === 'prompts/list' ? -32601 : -32603;
    if (method?.endsWith('/list')) channel.print({ id, error: { code, message: 'no' } });
    return method?.endsWith('/list') === true;
  });
  t.is((await post('prompts/list')).status, 404);
  t.is((await post('tools/list')).status, 200);
});

test('GET and DELETE do not exist in this revision', async (t) => {
  const { ask } = await setUp(t);
  for (const method of ['GET', 'DELETE']) {
    const answer = await ask(method, '/mcp/echo', {
      headers: { ...ACCEPT, 'mcp-protocol-version': '2026-07-28' },
    });
    t.deepEqual([answer.status, answer.headers.allow], [405, 'POST']);
  }
});

test('a notification is taken with 202, a response is refused', async (t) => {
  const { post, ask } = await setUp(t);
  const taken = await post('notifications/cancelled', { id: null });
  t.deepEqual([taken.status, taken.text], [202, '']);
  const headers = { ...ACCEPT, 'mcp-protocol-version': '2026-07-28' };
  const response = await ask('POST', '/mcp/echo', { headers, body: { jsonrpc: '2.0', id: 1, result: {} } });
  t.is(response.status, 400);
});

test('an initialize without a claim begins a session, whatever its header says', async (t) => {
  const { post } = await setUp(t);
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const answer = await post('initialize', { params, meta: null });
  t.is(answer.status, 200);
  t.is(typeof answer.headers['mcp-session-id'], 'string');
});

test('a client that closes its stream cancels its call', async (t) => {
  const called = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<unknown>();
  const { port } = await setUp(t, ({ id, method, params }, channel) => {
    if (method === 'notifications/cancelled') cancelled.resolve(params?.requestId === asked);
    if (method !== 'prompts/get') return false;
    asked = id;
    channel.print({ method: 'notifications/progress', params: { progressToken: id, progress: 1 } });
    called.resolve();
    return true;
  });
  let asked: unknown;
  const headers = {
    ...ACCEPT,
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'prompts/get',
    'mcp-name': 'a',
  };
  const client = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/mcp/echo',
    headers,
    agent: false,
  });
  client.on('error', () => {}); // we hang up ourselves
  const params = { name: 'a', _meta: { ...META, progressToken: 1 } };
  client.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'prompts/get', params }));
  await called.promise;
  client.destroy();
  t.true(await cancelled.promise);
});

test('the trace of the HTTP request reaches the server in both eras, and is never overwritten', async (t) => {
  const { post, ask } = await setUp(t);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const trace = { traceparent, tracestate: 'x=1', baggage: 'k=v' };
  const modern = await post('tools/list', { headers: trace });
  t.deepEqual(modern.json.result.params._meta, trace);
  const own = { ...META, traceparent: 'mine', baggage: 'b=1' };
  const kept = await post('tools/list', { headers: trace, meta: own });
  t.deepEqual(kept.json.result.params._meta, { traceparent: 'mine', baggage: 'b=1' });
  const broken = await post('tools/list', { headers: { ...trace, traceparent: '00-0-0-00', baggage: '' } });
  t.is(broken.json.result.params?._meta, undefined);

  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25' },
  };
  const begun = await ask('POST', '/mcp/echo', { headers: ACCEPT, body: initialize });
  const session = { ...ACCEPT, 'mcp-session-id': String(begun.headers['mcp-session-id']) };
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const legacy = await ask('POST', '/mcp/echo', { headers: { ...session, ...trace }, body: list });
  t.deepEqual(legacy.json.result.params, { _meta: trace });
  const plain = await ask('POST', '/mcp/echo', { headers: session, body: list });
  t.is(plain.json.result.params, null);
});
