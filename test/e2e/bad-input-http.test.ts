import { connect as connectSocket } from 'node:net';
import test from 'ava';
import { NOT_JSON, NOT_JSON_RPC } from './bad-bodies.ts';
import { adminToken, api, baseUrl, metric } from './harness.ts';
import { BOTH_KINDS, initializeRequest, openSession, postMcp, toolCall } from './mcp-session.ts';
import { othersAnswer } from './own-server.ts';
import { endlessBody, rawRequest } from './raw-http.ts';

const MCP_URL = new URL('/mcp/everything', baseUrl);
const MAX_BODY_BYTES = 4 * 1024 * 1024;

for (const body of NOT_JSON) {
  test(`the body ${JSON.stringify(body)} is not JSON: 400 with -32700`, async (t) => {
    const answer = await postMcp('everything', body);
    t.is(answer.status, 400);
    t.like(JSON.parse(answer.text), { jsonrpc: '2.0', id: null, error: { code: -32700 } });
  });
}

test('a body that is not UTF-8 is not JSON: 400 with -32700', async (t) => {
  const body = Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
    Buffer.from([0xff]),
    Buffer.from('"}'),
  ]);
  const answer = await postMcp('everything', body);
  t.is(answer.status, 400);
  t.is(JSON.parse(answer.text).error.code, -32700);
});

for (const [what, body] of NOT_JSON_RPC) {
  test(`a body with ${what} is not JSON-RPC: 400 with -32600`, async (t) => {
    const answer = await postMcp('everything', JSON.stringify(body));
    t.is(answer.status, 400);
    t.is(JSON.parse(answer.text).error.code, -32600);
  });
}

test('a doubled top-level key and an id that loses digits are not JSON-RPC: 400 with -32600', async (t) => {
  const doubled = await postMcp(
    'everything',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
  );
  t.is(doubled.status, 400);
  t.is(JSON.parse(doubled.text).error.code, -32600);
  const large = await postMcp('everything', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}');
  t.is(large.status, 400);
  t.is(JSON.parse(large.text).error.code, -32600);
});

test('a body that says it is over the limit is refused with 413', async (t) => {
  const answer = await postMcp('everything', Buffer.alloc(MAX_BODY_BYTES + 1, ' '));
  t.is(answer.status, 413);
  t.is(JSON.parse(answer.text).error.data.code, 'body_too_large');
});

test('a chunked body without end is refused with 413 before it is read whole', async (t) => {
  const answer = await endlessBody(MCP_URL, { 'content-type': 'application/json', accept: BOTH_KINDS });
  t.is(answer.status, 413);
  // What fits into socket buffers on the way counts as sent; the body itself never ends.
  t.true(answer.sentBytes < MAX_BODY_BYTES + 32 * 1024 * 1024, `${answer.sentBytes} bytes were taken`);
});

test('the limit of a body holds for the API too', async (t) => {
  const answer = await rawRequest(new URL('/api/v1/servers', baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` },
    body: Buffer.alloc(MAX_BODY_BYTES + 1, ' '),
  });
  t.is(answer.status, 413);
  t.is(JSON.parse(answer.text).error.code, 'body_too_large');
});

for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined]) {
  test(`the content type ${type ?? '(none)'} is refused with 415`, async (t) => {
    const answer = await rawRequest(MCP_URL, {
      method: 'POST',
      headers: { accept: BOTH_KINDS, ...(type === undefined ? {} : { 'content-type': type }) },
      body: JSON.stringify(initializeRequest()),
    });
    t.is(answer.status, 415);
  });
}

test('a compressed body is refused with 415', async (t) => {
  const answer = await postMcp('everything', initializeRequest(), { 'content-encoding': 'gzip' });
  t.is(answer.status, 415);
});

for (const accept of ['application/json', 'text/event-stream', 'text/html', 'image/*']) {
  test(`the Accept header ${accept} is not acceptable for a POST: 406`, async (t) => {
    t.is((await postMcp('everything', initializeRequest(), { accept })).status, 406);
  });
}

test('an absent Accept header and */* count as both kinds', async (t) => {
  const session = await openSession(t, 'plain');
  t.is((await session.post(toolCall(1, 'echo'), { accept: '*/*' })).status, 200);
  const absent = await rawRequest(new URL('/mcp/plain', baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...session.headers },
    body: JSON.stringify(toolCall(2, 'echo')),
  });
  t.is(absent.status, 200);
});

test('GET with an Accept header without event streams is not acceptable: 406', async (t) => {
  const session = await openSession(t, 'plain');
  const headers = { ...session.headers, accept: 'application/json' };
  t.is((await rawRequest(new URL('/mcp/plain', baseUrl), { headers })).status, 406);
});

test('an unknown server is 404, over MCP and over REST, whatever its name looks like', async (t) => {
  for (const name of ['nobody', '..%2f..%2fetc', 'UPPER', '%00', 'constructor', '__proto__']) {
    const answer = await postMcp(name, initializeRequest());
    t.is(answer.status, 404, name);
    t.is((await api('GET', `/api/v1/servers/${name}`)).status, 404, name);
  }
});

test('an unknown tool of a known server is 404 over REST', async (t) => {
  const answer = await api('POST', '/api/v1/servers/plain/tools/nothing', { body: {} });
  t.is(answer.status, 404);
  t.is(JSON.parse(answer.text).error.code, 'tool_not_found');
});

const FOREIGN_ORIGINS = [
  'https://evil.example',
  'null',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'file://',
];
for (const origin of FOREIGN_ORIGINS) {
  test(`the origin ${origin} is refused with 403, on MCP and on the API`, async (t) => {
    const answer = await postMcp('everything', initializeRequest(), { origin });
    t.is(answer.status, 403);
    t.is(JSON.parse(answer.text).error.data.code, 'origin_forbidden');
    const listed = await api('GET', '/api/v1/servers', { headers: { origin } });
    t.is(listed.status, 403);
    t.is(JSON.parse(listed.text).error.code, 'origin_forbidden');
  });
}

test('a loopback origin at any port is allowed', async (t) => {
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1', 'http://[::1]:9']) {
    t.is((await api('GET', '/api/v1/servers', { headers: { origin } })).status, 200, origin);
  }
});

for (const host of ['evil.example', 'localhost.evil.example:7400', 'a@evil.example', '10.0.0.1']) {
  test(`the host ${host} is refused with 403, on MCP and on the API`, async (t) => {
    const answer = await postMcp('everything', initializeRequest(), { host });
    t.is(answer.status, 403);
    t.is(JSON.parse(answer.text).error.data.code, 'host_forbidden');
    t.is((await api('GET', '/readyz', { headers: { host } })).status, 403);
  });
}

test('a stream of half a request header does not keep others from being served', async (t) => {
  const { hostname, port } = new URL(baseUrl);
  const slow = Array.from({ length: 50 }, () => {
    const socket = connectSocket(Number(port), hostname);
    socket.on('error', () => {}); // the other side may give up on it first: that is its right
    socket.write('POST /mcp/everything HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    return socket;
  });
  t.teardown(() => {
    for (const socket of slow) socket.destroy();
  });
  t.true(await othersAnswer());
});

test('after all bad requests the process is the same and serves', async (t) => {
  t.true(await othersAnswer());
  t.true((await metric('gantry_process_start_time_seconds')) > 0);
});

test('answers to bad requests show no stack traces and no words of the engine', async (t) => {
  const answers = await Promise.all([
    postMcp('everything', '{'),
    postMcp('nobody', initializeRequest()),
    api('GET', '/api/v1/containers/0123456789ab'),
    api('GET', '/api/v1/servers/nobody/tools'),
    api('POST', '/api/v1/servers', { body: { name: 'x', image: 7 } }),
    api('GET', '/no/such/route'),
  ]);
  for (const { status, text } of answers) {
    t.true(status >= 400 && status < 500);
    t.notRegex(text, /\n\s+at |node_modules|orchestrator\/|docker|\/var\/lib/i);
  }
});
