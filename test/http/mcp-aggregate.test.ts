import test from 'ava';
import { startMcp } from './mcp-app.ts';

const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } };
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo__x' } };

for (const path of ['/mcp', '/mcp/@all', '/mcp/%40all']) {
  test(`a session is opened, used and ended at ${path}`, async (t) => {
    const { ask } = await startMcp(t);
    const begun = await ask('POST', path, { body: INITIALIZE });
    t.is(begun.json.result.serverInfo.name, 'gantry');
    const headers = { 'mcp-session-id': String(begun.headers['mcp-session-id']) };
    t.deepEqual((await ask('POST', path, { headers, body: CALL })).json.result, {
      method: 'tools/call',
      params: { name: 'x' },
    });
    // It is bound to its address.
    t.is((await ask('POST', '/mcp/echo', { headers, body: CALL })).json.error.data.code, 'session_not_found');
    t.is((await ask('DELETE', path, { headers })).status, 204);
    t.is((await ask('POST', path, { headers, body: CALL })).status, 404);
  });
}

test('a name of nobody is an error of the call, not of the address: the session is still there', async (t) => {
  const { ask } = await startMcp(t);
  const begun = await ask('POST', '/mcp', { body: INITIALIZE });
  const headers = { 'mcp-session-id': String(begun.headers['mcp-session-id']) };
  const asked = await ask('POST', '/mcp', { headers, body: { ...CALL, params: { name: 'no__x' } } });
  t.is(asked.status, 200);
  t.like(asked.json.error, { code: -32602, data: { code: 'tool_not_found', servers: ['echo'] } });
});

test('without a session the answer has the status of the revision', async (t) => {
  const { ask } = await startMcp(t);
  const meta = { protocolVersion: '2026-07-28', clientCapabilities: {} };
  const _meta = Object.fromEntries(
    Object.entries(meta).map(([key, value]) => [`io.modelcontextprotocol/${key}`, value]),
  );
  const post = (method: string, params: object, name?: string) =>
    ask('POST', '/mcp', {
      headers: {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': name }),
      },
      body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
    });
  t.is((await post('server/discover', {})).json.result.supportedVersions[0], '2026-07-28');
  t.is((await post('tools/call', { name: 'echo__x' }, 'echo__x')).json.result.params.name, 'x');
  t.is((await post('tools/call', { name: 'echo__x' }, 'x')).status, 400);
  t.is((await post('tasks/list', {})).status, 404);
  const unknown = await post('tools/call', { name: 'x' }, 'x');
  t.deepEqual([unknown.status, unknown.json.error.code], [200, -32602]);
});

test('a set that does not exist is told before anything is read, and the sets that do are named', async (t) => {
  const { ask } = await startMcp(t);
  for (const [method, path] of [
    ['POST', '/mcp/@none'],
    ['GET', '/mcp/@none'],
    ['DELETE', '/mcp/@none'],
    ['GET', '/sse/@none'],
  ] as const) {
    const { status, json } = await ask(method, path);
    t.is(status, 404, path);
    t.deepEqual(json.error.data, { set: 'none', sets: ['all'], code: 'server_not_found' });
  }
});
