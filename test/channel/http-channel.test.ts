import test from 'ava';
import { RemoteServer, type RemoteServerOptions } from '../fakes/remote-server.ts';
import { greeted, HELLO, LIMITS, textIn, tool, wired } from './http-rig.ts';

const MODERN = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': HELLO.clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};

for (const sse of [false, true]) {
  test(`a session is begun, carried and left; answers come as ${sse ? 'events' : 'JSON'}`, async (t) => {
    const { remote, link, channel } = await greeted(t, { sse });
    t.is(textIn(await tool(link, 'echo', { text: 'hä' })), 'hä');
    t.is(remote.sessions, 1);
    const call = remote.heard.find(({ message }) => message?.method === 'tools/call');
    t.is(call?.headers['mcp-protocol-version'], '2025-06-18', 'what was agreed on, not what was asked for');
    t.is(call?.headers.authorization, undefined);
    channel.end();
    t.deepEqual(await channel.closed, { why: 'ended' });
    t.is(remote.sessions, 0);
  });
}

test('every request carries the headers of its server, none of which takes the place of one of MCP', async (t) => {
  const headers = { authorization: 'Bearer mine', 'mcp-session-id': 'not-this', accept: 'text/html' };
  const { remote, link, channel } = await greeted(t, { wants: 'Bearer mine' }, { headers });
  while (remote.streams === 0) await tool(link, 'echo');
  t.is(textIn(await tool(link, 'echo', { text: 'known' })), 'known');
  channel.end();
  await channel.closed;
  t.deepEqual([...new Set(remote.heard.map(({ verb }) => verb))].sort(), ['DELETE', 'GET', 'POST']);
  for (const { headers: got, verb } of remote.heard) t.is(got.authorization, 'Bearer mine', verb);
  t.is(remote.sessions, 0, 'the session was left by its own id');
  t.false(remote.heard.some(({ headers: got, message }) => message !== null && got.accept === 'text/html'));
});

test('a server that wants to know who asks is told apart from one that is broken', async (t) => {
  const { link, channel } = await wired(t, { wants: 'Bearer mine' });
  const over = channel.closed;
  await t.throwsAsync(link.call('initialize', HELLO, LIMITS));
  t.like(await over, { why: 'remote' });
  t.regex(
    ((await over) as { message: string }).message,
    /refuses Gantry \(HTTP 401\): .* headers of its entry/,
  );
});

test('the text of a result is passed on as it was written', async (t) => {
  const { link } = await greeted(t);
  const outcome = await tool(link, 'big');
  t.true(outcome.ok && outcome.raw.includes('9007199254740993'));
});

test('progress reaches the call that asked for it, before its answer', async (t) => {
  const { link } = await greeted(t);
  const heard: unknown[] = [];
  const options = { ...LIMITS, onMessage: ({ params }: { params: unknown }) => heard.push(params) };
  const params = { name: 'progress', arguments: {}, _meta: { progressToken: 'mine' } };
  t.is(textIn(await link.call('tools/call', params, options)), 'done');
  t.deepEqual(heard, [{ progressToken: 'mine', progress: 1, total: 2 }]);
});

test('what belongs to no call comes on a stream of its own', async (t) => {
  const { remote, link } = await greeted(t);
  const { promise, resolve } = Promise.withResolvers<string>();
  link.listen(({ method }) => resolve(method));
  while (remote.streams === 0) await tool(link, 'echo');
  remote.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  t.is(await promise, 'notifications/tools/list_changed');
});

test('a call that is withdrawn is said so, and its stream is left', async (t) => {
  const { remote, link } = await greeted(t);
  const abort = new AbortController();
  const call = link.call('tools/call', { name: 'hang', arguments: {} }, { ...LIMITS, signal: abort.signal });
  while (!remote.methods().includes('tools/call')) await tool(link, 'echo').then(() => {});
  abort.abort();
  await t.throwsAsync(call, { message: /withdrew/ });
  while (!remote.methods().includes('notifications/cancelled')) await tool(link, 'echo');
  t.is(textIn(await tool(link, 'echo', { text: 'on' })), 'on');
});

test('a request that fails alone fails its call alone, and says whether it may have run', async (t) => {
  const { remote, link } = await greeted(t);
  const broken = await t.throwsAsync(tool(link, 'broken'));
  t.like(broken, { code: 'replica_failed', detail: { reason: 'unreachable', mayHaveRun: true } });
  await remote.close();
  const refused = await t.throwsAsync(tool(link, 'echo'));
  t.like(refused, { code: 'replica_failed', detail: { reason: 'unreachable', mayHaveRun: false } });
  t.true(link.open);
  await remote.reopen();
  t.is(textIn(await tool(link, 'echo', { text: 'back' })), 'back');
});

test('before the server was greeted any failure ends the channel', async (t) => {
  const { remote, link, channel } = await wired(t);
  await remote.close();
  await t.throwsAsync(link.call('initialize', HELLO, LIMITS), { message: 'over' });
  const end = await channel.closed;
  t.true(end.why === 'remote' && /could not be reached/.test(end.message));
});

test('a redirect is not followed', async (t) => {
  const seen: string[] = [];
  const target = await RemoteServer.start({
    instead: (request, response) => {
      seen.push(request.url ?? '');
      response.end();
    },
  });
  t.teardown(() => target.close());
  const { link, channel } = await wired(t, {
    instead: (_request, response) => response.writeHead(307, { location: target.url() }).end(),
  });
  await t.throwsAsync(link.call('initialize', HELLO, LIMITS));
  const end = await channel.closed;
  t.true(end.why === 'remote' && end.message.includes('redirects (HTTP 307), which is not followed'));
  t.deepEqual(seen, []);
});

test('a message that is too long ends the channel', async (t) => {
  const long = `data: ${'x'.repeat(2000)}\n\n`;
  const instead: RemoteServerOptions['instead'] = (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(long);
  const { link, channel } = await wired(t, { instead }, { maxLineBytes: 1000 });
  await t.throwsAsync(link.call('initialize', HELLO, LIMITS));
  t.deepEqual(await channel.closed, { why: 'line_too_long', maxLineBytes: 1000 });
});

test('an answer that is no sound JSON-RPC is none: the call fails at once', async (t) => {
  for (const body of [
    '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    '{"id":1,"result":{}}',
    '[]',
    'x',
  ]) {
    const { link, channel } = await wired(t, {
      instead: (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    });
    await t.throwsAsync(link.call('initialize', HELLO, LIMITS));
    const end = await channel.closed;
    t.true(end.why === 'remote' && end.message.includes('which is no answer of MCP'), body);
  }
});

test('a modern request carries what it says in headers, and needs no session', async (t) => {
  const { remote, link } = await wired(t, { eras: 'modern' });
  t.true((await link.call('server/discover', MODERN, LIMITS)).ok);
  t.is(textIn(await tool(link, 'echo', { text: 'new' }, MODERN)), 'new');
  const headers = remote.heard.at(-1)?.headers ?? {};
  t.like(headers, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' });
  t.is(headers['mcp-session-id'], undefined);
  await t.throwsAsync(tool(link, 'broken', {}, MODERN));
  await tool(link, 'größe', {}, MODERN);
  t.is(remote.heard.at(-1)?.headers['mcp-name'], `=?base64?${Buffer.from('größe').toString('base64')}?=`);
});

test('a refusal without an id is the answer to the request that HTTP says it answers', async (t) => {
  const { link } = await wired(t, { eras: 'modern' });
  const outcome = await link.call('initialize', HELLO, LIMITS);
  t.deepEqual(outcome, { ok: false, error: { code: -32000, message: 'no sessions here' } });
  t.true((await link.call('server/discover', MODERN, LIMITS)).ok, 'the channel goes on');
});
