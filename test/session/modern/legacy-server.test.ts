import test from 'ava';
import { failure } from '../../failure.ts';
import { TEST_SPEC } from '../../fakes/fake-pools.ts';
import { modernRequest } from './modern-request.ts';
import { jsonOf, type Play, read, resultOf, sentMethods, statelessRig, streamOf } from './rig.ts';

const INFO = { 'io.modelcontextprotocol/serverInfo': { name: 'echo', version: '1' } };

test('discover is made from the handshake, with what both eras mean the same by', async (t) => {
  const { send } = statelessRig(t);
  t.deepEqual(resultOf(await send(modernRequest(1, 'server/discover'))), {
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: INFO,
  });
});

test('a result gets what the modern era wants in it, and numbers beyond 2^53 stay as they were', async (t) => {
  const play: Play = ({ id }, channel) =>
    channel.print(`{"jsonrpc":"2.0","id":${id},"result":{"n":9007199254740993,"_meta":{"x":1}}}`);
  const { send } = statelessRig(t, { play });
  const reply = await send(modernRequest(1, 'tools/list'));
  t.true(reply.kind === 'json' && reply.outcome.ok && reply.outcome.raw.includes('"n":9007199254740993,'));
  t.like(resultOf(reply), {
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { x: 1, ...INFO },
  });
});

test('the server sees neither the words of the other era nor the headers of the call', async (t) => {
  const { send } = statelessRig(t);
  const params = { name: 'a', arguments: { b: 1 }, inputResponses: {} };
  const reply = await send(modernRequest(1, 'prompts/get', params, { meta: { traceparent: '00-1' } }));
  t.deepEqual(resultOf(reply).params, {
    name: 'a',
    arguments: { b: 1 },
    _meta: { traceparent: '00-1' },
  });
});

test('a missing resource has the number of the modern era, and its address', async (t) => {
  const play: Play = ({ id }, channel) =>
    channel.print({ id, error: { code: -32002, message: 'not found', data: { hint: 1 } } });
  const { send } = statelessRig(t, { play });
  const { error } = jsonOf(await send(modernRequest(1, 'resources/read', { uri: 'test://gone' })));
  t.deepEqual(error, { code: -32602, message: 'not found', data: { uri: 'test://gone', hint: 1 } });
});

test('methods that the revision removed, and those nobody knows, reach no process', async (t) => {
  const { send, pools } = statelessRig(t);
  for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'no/such']) {
    t.is((await failure(send(modernRequest(1, method)))).code, 'method_not_found');
  }
  t.deepEqual(sentMethods(pools), []);
});

test('progress comes before the answer, under the token of the client', async (t) => {
  const play: Play = ({ id, method, params }, channel) => {
    if (method === 'tools/list') return channel.print({ id, result: { tools: [] } });
    const { progressToken } = (params as { _meta: { progressToken: number } })._meta;
    t.not(progressToken as unknown, 'mine');
    channel.print({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    channel.print({ id, result: {} });
  };
  const { send } = statelessRig(t, { play });
  const call = modernRequest(5, 'tools/call', { name: 'a' }, { meta: { progressToken: 'mine' } });
  const [progress, answer] = await read(streamOf(await send(call)));
  t.deepEqual(progress.params, { progressToken: 'mine', progress: 1 });
  t.is(answer.id, 5);
});

test('log messages reach only the client that asked for some, and only from its severity on', async (t) => {
  const play: Play = ({ id, method }, channel) => {
    if (method === 'tools/list') return channel.print({ id, result: { tools: [] } });
    for (const level of ['debug', 'warning'])
      channel.print({ method: 'notifications/message', params: { level, data: level } });
    channel.print({ id, result: {} });
  };
  const { send } = statelessRig(t, { play });
  t.is((await send(modernRequest(1, 'tools/call', { name: 'a' }))).kind, 'json');
  const wanted = await send(modernRequest(2, 'tools/call', { name: 'a' }, { logLevel: 'info' }));
  t.deepEqual(
    (await read(streamOf(wanted))).map(({ params }) => params?.level),
    ['warning', undefined],
  );
});

test('an argument that does not match its header is refused before the tool is called', async (t) => {
  const tool = { name: 'a', inputSchema: { properties: { region: { 'x-mcp-header': 'Region' } } } };
  const play: Play = ({ id, method }, channel) =>
    channel.print({ id, result: method === 'tools/list' ? { tools: [tool] } : {} });
  const { send, pools } = statelessRig(t, { play });
  const call = modernRequest(1, 'tools/call', { name: 'a', arguments: { region: 'eu' } });
  for (let i = 0; i < 2; i++) t.is((await failure(send(call))).code, 'header_mismatch');
  t.deepEqual(sentMethods(pools), ['tools/list'], 'asked once, remembered, and the tool never called');
});

test('clients that can be asked for other things, and other principals, never meet in one process', async (t) => {
  const { send, pools } = statelessRig(t);
  const list = (capabilities: Record<string, unknown>, principal: string) =>
    send(modernRequest(1, 'tools/list', {}, { capabilities }), principal);
  await list({}, 'alice');
  const probes = pools.released.length;
  await list({ roots: {}, sampling: {} }, 'alice');
  await list({ sampling: {}, roots: {} }, 'alice');
  await list({ roots: {} }, 'alice');
  await list({}, 'bob');
  const serving = pools.opened.slice(probes).map(({ channel }) => {
    const greeting = channel.sent.find(({ method }) => method === 'initialize')?.params;
    return [greeting?.capabilities, channel.sent.filter(({ method }) => method === 'tools/list').length];
  });
  t.deepEqual(serving, [
    [{}, 1],
    [{ roots: {}, sampling: {} }, 2],
    [{ roots: {} }, 1],
    [{}, 1],
  ]);
});

test('under sharing call every call has a process of its own, which ends with it', async (t) => {
  const { send, pools } = statelessRig(t, { spec: { sharing: 'call' } });
  await send(modernRequest(1, 'tools/list'));
  await send(modernRequest(2, 'tools/list'));
  t.is(pools.opened.length, 2);
  t.is(pools.released.length, 2);
});

test('under sharing shared the pool serves, nobody is asked, and what needs one client is not offered', async (t) => {
  const play: Play = ({ id, method }, channel) => {
    if (method !== 'prompts/get') return;
    channel.print({ id: 0, method: 'elicitation/create', params: {} });
    channel.print({ method: 'notifications/message', params: { level: 'error' } });
    channel.print({ id, result: {} });
  };
  const { send, pools } = statelessRig(t, { spec: { sharing: 'shared' }, play });
  const standing = pools.make('echo', 'echo-1', 'pool');
  await standing.replica.greet(1000);
  pools.pool = [standing.replica];
  const capabilities = { elicitation: {} };
  const reply = await send(
    modernRequest(1, 'prompts/get', { name: 'a' }, { capabilities, logLevel: 'debug' }),
  );
  t.is(resultOf(reply).resultType, 'complete');
  t.like(standing.channel.sent.at(-1), { id: 0, error: { code: -32601 } });
  const discovered = resultOf(await send(modernRequest(2, 'server/discover', {}, { capabilities })));
  t.deepEqual(Object.keys(discovered.capabilities), ['tools', 'resources']);
});

test('under sharing shared another replica takes over from one that dies, where the call may run twice', async (t) => {
  let calls = 0;
  const play: Play = ({ id, method }, channel) => {
    if (id === undefined) return;
    if (method === 'tools/list') return channel.print({ id, result: { tools: [] } });
    if (calls++ > 0) return channel.print({ id, result: { second: true } });
    const died = { code: 'exited', message: 'It exited.', exitCode: 3, stderr: [] } as const;
    pools.opened.find((played) => played.channel === channel)?.replica.fail(died);
  };
  const { send, pools } = statelessRig(t, { spec: { sharing: 'shared' }, play });
  for (const id of ['echo-1', 'echo-2', 'echo-3']) {
    const { replica } = pools.make('echo', id, 'pool');
    await replica.greet(1000);
    pools.pool.push(replica);
  }
  t.true(resultOf(await send(modernRequest(1, 'resources/read', { uri: 'a:b' }))).second);
  calls = 0;
  const error = await failure(send(modernRequest(2, 'tools/call', { name: 'unmarked' })));
  t.is(error.code, 'replica_failed');
  t.is(calls, 1, 'it ran once');
});

test('a client that leaves while its call waits for a replica leaves the queue', async (t) => {
  const balance = { ...TEST_SPEC.balance, maxInFlight: 1 };
  const play: Play = ({ id, method }, channel) => {
    if (method === 'tools/list') channel.print({ id, result: { tools: [] } });
  };
  const { send, pools } = statelessRig(t, { spec: { sharing: 'shared', balance }, play });
  const { replica, channel } = pools.make('echo', 'echo-1', 'pool');
  await replica.greet(1000);
  pools.pool.push(replica);
  const waits = new Promise<void>((resolve) => {
    pools.facts.listen(({ type }) => type === 'call.waiting' && resolve());
  });
  const leaving = new AbortController();
  const busy = failure(send(modernRequest(1, 'prompts/get', { name: 'a' }), 'alice', leaving.signal));
  const gone = new AbortController();
  const waiting = failure(send(modernRequest(2, 'prompts/get', { name: 'b' }), 'bob', gone.signal));
  await waits;
  gone.abort();
  t.is((await waiting).code, 'cancelled');
  leaving.abort();
  await busy;
  const asked = channel.sent
    .filter(({ method }) => method === 'prompts/get')
    .map(({ params }) => params?.name);
  t.deepEqual(asked, ['a']);
});

test('closing the stream of a call is its cancellation', async (t) => {
  const called = Promise.withResolvers<void>();
  const play: Play = ({ method }) => {
    if (method === 'prompts/get') called.resolve();
  };
  const { send, pools } = statelessRig(t, { play });
  const gone = new AbortController();
  const call = failure(send(modernRequest(1, 'prompts/get', { name: 'a' }), 'alice', gone.signal));
  await called.promise;
  gone.abort();
  t.is((await call).code, 'cancelled');
  t.is(sentMethods(pools).at(-1), 'notifications/cancelled');
});

test('a process that dies ends the call with its reason', async (t) => {
  const reason = { code: 'exited', message: 'It exited.', exitCode: 3, stderr: [] } as const;
  const play: Play = (_message, channel) => {
    pools.opened.find((played) => played.channel === channel)?.replica.fail(reason);
  };
  const { send, pools } = statelessRig(t, { play });
  const { code, detail } = await failure(send(modernRequest(1, 'prompts/get', { name: 'a' })));
  t.is(code, 'replica_failed');
  t.like(detail, { exitCode: 3, mayHaveRun: true });
});
