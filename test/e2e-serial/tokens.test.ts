import test from 'ava';
import { expectStatus, type Json, type ToolResult, textOf } from '../e2e/harness.ts';
import { BOTH_KINDS, initializeRequest, lastMessage, toolCall } from '../e2e/mcp-session.ts';
import { fixtureEntry } from '../e2e/own-server.ts';
import { type RawAnswer, rawRequest } from '../e2e/raw-http.ts';
import { type SecondOrchestrator, startSecondOrchestrator } from '../e2e/second-orchestrator.ts';

const MCP = '/mcp/own';
const LEGACY = { 'mcp-protocol-version': '2025-11-25' };
const META = 'io.modelcontextprotocol/';
const HELLO = toolCall(1, 'echo', { text: 'hello' });

let gantry: SecondOrchestrator;

test.before(async (t) => {
  t.timeout(180_000);
  const entry = { ...(await fixtureEntry('plain.py')), maxSessions: 10 };
  gantry = await startSecondOrchestrator({
    tokens: [
      { principal: 'ann', scopes: ['call'] },
      { principal: 'bob', scopes: ['call'] },
      { principal: 'operator', scopes: ['admin'] },
    ],
    servers: { own: entry, ours: { ...entry, sharing: 'principal' } },
  });
});
test.after.always(() => gantry?.end());

/** One request, with the token of a principal, with one that nobody has, or with none. */
function ask(
  who: string | null,
  method: string,
  path: string,
  body?: Json,
  headers = {},
): Promise<RawAnswer> {
  const token = who === 'stranger' ? 'not-a-token' : who === null ? null : gantry.tokenOf(who);
  return rawRequest(new URL(path, gantry.url), {
    method,
    headers: {
      accept: method === 'GET' && path.startsWith('/mcp/') ? 'text/event-stream' : BOTH_KINDS,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function openSession(who: string): Promise<Record<string, string>> {
  const answer = await ask(who, 'POST', MCP, initializeRequest());
  const id = answer.headers['mcp-session-id'];
  if (typeof id !== 'string') throw new Error(`initialize is ${answer.status}: ${answer.text}`);
  const headers = { ...LEGACY, 'mcp-session-id': id };
  await ask(who, 'POST', MCP, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
  return headers;
}

/** A call of a client of 2026-07-28 that can be asked. */
function modernCall(who: string, tool: string, more: Json = {}): Promise<RawAnswer> {
  const body = toolCall(
    1,
    tool,
    { method: 'elicitation/create' },
    {
      [`${META}protocolVersion`]: '2026-07-28',
      [`${META}clientCapabilities`]: { elicitation: { form: {} } },
    },
  ) as { params: Json };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool };
  return ask(who, 'POST', MCP, { ...body, params: { ...body.params, ...more } }, headers);
}

const PROTECTED: readonly (readonly [method: string, path: string, body?: Json])[] = [
  ['POST', MCP, initializeRequest()],
  ['GET', MCP],
  ['DELETE', MCP],
  ['GET', '/sse/own'],
  ['GET', '/api/v1/servers'],
  ['GET', '/api/v1/containers'],
  ['GET', '/api/v1/servers/own/tools'],
  ['POST', '/api/v1/servers/own/tools/echo', { text: 'hello' }],
  ['POST', '/api/v1/servers/own/restart'],
  ['GET', '/metrics'],
];

for (const [who, title] of [
  [null, 'without a token'],
  ['stranger', 'with a token that nobody has'],
] as const) {
  test(`${title} every route but the health checks is 401 on a stack with tokens`, async (t) => {
    for (const [method, path, body] of PROTECTED) {
      const answer = await ask(who, method, path, body, LEGACY);
      t.is(answer.status, 401, `${method} ${path}`);
      t.is(answer.headers['www-authenticate'], 'Bearer realm="gantry"');
      const { error } = JSON.parse(answer.text) as { error: { code: unknown; data?: Json } };
      t.is(error.data?.code ?? error.code, 'unauthorized');
    }
    for (const path of ['/healthz', '/readyz']) t.is((await ask(null, 'GET', path)).status, 200);
  });
}

test('a token with the scope call alone may call and read, and change nothing: 403 scope_missing', async (t) => {
  const called = await ask('ann', 'POST', '/api/v1/servers/own/tools/echo', { text: 'hello' });
  t.is(textOf(JSON.parse(called.text) as ToolResult), 'hello');
  for (const [method, path, body] of [
    ['POST', '/api/v1/servers', { name: 'more', image: 'x:1', command: ['x'] }],
    ['POST', '/api/v1/servers/own/restart', undefined],
    ['POST', '/api/v1/reload', undefined],
    ['DELETE', '/api/v1/servers/own', undefined],
  ] as const) {
    const answer = await ask('ann', method, path, body);
    t.is(answer.status, 403, `${method} ${path}`);
    t.like(JSON.parse(answer.text).error, { code: 'scope_missing', detail: { scope: 'admin' } });
  }
  // What admin may is more than what call may.
  t.is((await ask('operator', 'POST', '/api/v1/reload')).status, 200);
  t.is((await ask('operator', 'GET', '/api/v1/servers')).status, 200);
});

test('the session of another principal is not there: 404 for every verb, and it goes on undisturbed', async (t) => {
  const anns = await openSession('ann');
  for (const who of ['bob', 'operator']) {
    for (const [method, body, headers] of [
      ['POST', HELLO, {}],
      ['POST', { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, {}],
      ['POST', { jsonrpc: '2.0', id: 0, result: {} }, {}],
      ['GET', undefined, {}],
      ['GET', undefined, { 'last-event-id': 'x.1' }],
      ['DELETE', undefined, {}],
    ] as const) {
      const answer = await ask(who, method, MCP, body, { ...anns, ...headers });
      t.is(answer.status, 404, `${who} ${method}`);
      t.is(JSON.parse(answer.text).error.data.code, 'session_not_found');
    }
  }
  const answer = lastMessage(await ask('ann', 'POST', MCP, HELLO, anns));
  t.is(textOf(answer.result), 'hello');
  t.is((await ask('ann', 'DELETE', MCP, undefined, anns)).status, 204);
});

test('an event id of another session is refused, and its owner still gets what followed it', async (t) => {
  const anns = await openSession('ann');
  const call = toolCall(1, 'progress', { steps: 3, ms: 0 }, { progressToken: 'mine' });
  const { text } = await ask('ann', 'POST', MCP, call, anns);
  const first = /^id: (.+)$/m.exec(text)?.[1] ?? '';
  t.regex(first, /^\S+\.\d+$/);
  const bobs = await openSession('bob');
  const other = await openSession('ann');
  for (const [who, session] of [
    ['bob', bobs],
    ['ann', other],
  ] as const) {
    const refused = await ask(who, 'GET', MCP, undefined, { ...session, 'last-event-id': first });
    t.is(refused.status, 400);
    t.false(refused.text.includes('progress'));
  }
  const resumed = await ask('ann', 'GET', MCP, undefined, { ...anns, 'last-event-id': first });
  t.is(resumed.status, 200);
  t.deepEqual(lastMessage(resumed), lastMessage({ ...resumed, text }));
  for (const [who, session] of [
    ['ann', anns],
    ['ann', other],
    ['bob', bobs],
  ] as const) {
    t.is((await ask(who, 'DELETE', MCP, undefined, session)).status, 204);
  }
});

test('the requestState of another principal is refused and runs nothing; its owner can still answer', async (t) => {
  const asked = lastMessage(await modernCall('ann', 'ask')).result ?? {};
  t.is(asked.resultType, 'input_required');
  const { requestState, inputRequests } = asked as { requestState: string; inputRequests: Json };
  const answered = { action: 'accept', content: { name: 'Ann' } };
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, answered]));
  const stolen = await modernCall('bob', 'ask', { requestState, inputResponses });
  t.is(stolen.status, 400);
  t.like(JSON.parse(stolen.text).error, { data: { code: 'request_state_refused', reason: 'foreign' } });
  const own = lastMessage(await modernCall('ann', 'ask', { requestState, inputResponses }));
  t.deepEqual(JSON.parse(textOf(own.result)), answered);
});

test('REST calls of two principals meet in no process, and each finds its own again', async (t) => {
  for (const server of ['own', 'ours']) {
    const remember = async (who: string, text: string): Promise<string> => {
      const path = `/api/v1/servers/${server}/tools/remember`;
      return textOf(await expectStatus<ToolResult>(200, ask(who, 'POST', path, { text })));
    };
    t.is(await remember('ann', 'a1'), 'a1');
    t.is(await remember('bob', 'b1'), 'b1');
    t.is(await remember('ann', 'a2'), 'a1,a2');
    t.is(await remember('bob', 'b2'), 'b1,b2');
  }
});
