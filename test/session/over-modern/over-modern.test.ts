import test from 'ava';
import { CLIENT, type Client, INFO, LEVEL, type Loose, overModernRig, type Play, VERSION } from './rig.ts';

const echo: Play = ({ id, method, params }, channel) => {
  if (id !== undefined) channel.print({ id, result: { resultType: 'complete', method, params } });
};

/** What the played process was sent, without the greeting and subscriptions. */
function sent({ pools }: ReturnType<typeof overModernRig>): Loose[] {
  const quiet = ['server/discover', 'subscriptions/listen'];
  return pools.opened.flatMap(({ channel }) =>
    channel.sent.filter(({ method }) => !quiet.includes(method ?? '')),
  );
}

test('initialize is answered from what the server discovers, in the version of the client', async (t) => {
  for (const [asked, agreed] of [
    ['2025-06-18', '2025-06-18'],
    ['2024-11-05', '2024-11-05'],
    ['2025-11-25', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
    ['1999-01-01', '2025-11-25'],
  ]) {
    const { client } = overModernRig(t, { play: echo });
    const result = await client.initialize({ protocolVersion: asked });
    t.is(result.protocolVersion, agreed);
    t.deepEqual(result.serverInfo, { name: 'modern', version: '7' });
    t.is(result.instructions, 'be kind');
    t.deepEqual(Object.keys(result.capabilities), ['tools', 'resources', 'logging', 'completions']);
  }
});

test('every request describes the client; what the client wrote under reserved keys does not pass', async (t) => {
  const all = overModernRig(t, { play: echo });
  await all.client.initialize({ capabilities: { roots: {}, tasks: {} } });
  const forged = { [VERSION]: 'x', [CLIENT]: { sampling: {} }, [LEVEL]: 'debug', own: 1, progressToken: 'p' };
  await all.client.call('prompts/get', { name: 'a', requestState: 's', inputResponses: {}, _meta: forged });
  const [{ params }] = sent(all);
  const { progressToken, ..._meta } = params._meta;
  t.is(typeof progressToken, 'number', 'the link has a token of its own');
  t.deepEqual(
    { ...params, _meta },
    {
      name: 'a',
      _meta: {
        own: 1,
        [VERSION]: '2026-07-28',
        [CLIENT]: { roots: {} },
        [INFO]: { name: 'c', version: '1' },
      },
    },
  );
});

test('a result loses what only the other era has, and keeps its text otherwise', async (t) => {
  const meta = '{"io.modelcontextprotocol/serverInfo":{"name":"x"},"mine":9007199254740993}';
  const play: Play = ({ id, params }, channel) =>
    channel.print(
      `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","n":9007199254740993,"ttlMs":5,"cacheScope":"public","_meta":${params.name === 'a' ? meta : '{"io.modelcontextprotocol/x":1}'}}}`,
    );
  const { client } = overModernRig(t, { play });
  await client.initialize();
  const text = async (name: string): Promise<string | false> => {
    const reply = await client.send({ kind: 'request', id: name, method: 'prompts/get', params: { name } });
    return reply.kind === 'json' && reply.outcome.ok && reply.outcome.raw;
  };
  t.is(await text('a'), '{"n":9007199254740993,"_meta":{"mine":9007199254740993}}');
  t.is(await text('b'), '{"n":9007199254740993}');
});

test('numbers of errors that only the other era has become those of this one', async (t) => {
  const cases: [string, number, number][] = [
    ['resources/read', -32602, -32002],
    ['tools/call', -32602, -32602],
    ['tools/call', -32020, -32602],
    ['tools/call', -32021, -32602],
    ['tools/call', -32022, -32602],
    ['tools/call', -32601, -32601],
    ['tools/call', -31999, -31999],
  ];
  for (const [method, code, expected] of cases) {
    const data = { requiredCapabilities: { roots: {} } };
    const play: Play = ({ id }, channel) => channel.print({ id, error: { code, message: 'm', data } });
    const { client } = overModernRig(t, { play });
    await client.initialize();
    t.deepEqual((await client.call(method, { uri: 'x' })).error, { code: expected, message: 'm', data });
  }
});

test('what sessions have and the server has not is answered here; what the server alone has is not there', async (t) => {
  const all = overModernRig(t, { play: echo });
  const { client } = all;
  await client.initialize();
  t.deepEqual((await client.call('ping')).result, {});
  for (const method of ['server/discover', 'subscriptions/listen', 'initialize', 'tasks/get']) {
    t.is((await client.call(method)).error.code, -32601, method);
  }
  t.deepEqual(sent(all), []);
});

test('the log level of the session travels with each request, and only a known one', async (t) => {
  const all = overModernRig(t, { play: echo });
  const { client } = all;
  await client.initialize();
  t.is((await client.call('logging/setLevel', { level: 'loud' })).error.code, -32602);
  await client.call('tools/list');
  t.deepEqual((await client.call('logging/setLevel', { level: 'warning' })).result, {});
  await client.call('tools/list');
  t.deepEqual(
    sent(all).map(({ params }) => params._meta[LEVEL]),
    [undefined, 'warning'],
  );
});

test('log messages and progress come before the answer, progress under the token of the client', async (t) => {
  const play: Play = ({ id, params }, channel) => {
    if (params.name === undefined) return;
    const { progressToken } = params._meta;
    channel.print({ method: 'notifications/message', params: { level: 'info', data: 1 } });
    channel.print({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    channel.print({ id, result: {} });
  };
  const { client } = overModernRig(t, { play });
  await client.initialize();
  const seen: Loose[] = [];
  await client.call('prompts/get', { name: 'a', _meta: { progressToken: 'mine' } }, (one) => seen.push(one));
  t.deepEqual(
    seen.map(({ method, params }) => method && [method, params.progressToken]),
    [['notifications/message', undefined], ['notifications/progress', 'mine'], undefined],
  );
});

test('a cancelled call is cancelled at the server, and gets no answer', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const play: Play = ({ method }) => method === 'prompts/get' && arrived.resolve();
  const { client, pools } = overModernRig(t, { play });
  await client.initialize();
  const answer = client.call('prompts/get', { name: 'slow' });
  await arrived.promise;
  await client.cancel(2);
  t.is(await answer, undefined);
  const [call, cancelled] = pools.opened[0]?.channel.sent.slice(-2) ?? [];
  t.is(cancelled?.method, 'notifications/cancelled');
  t.is((cancelled as Loose).params.requestId, call?.id);
});

test('a call that is cancelled before the server was sent it gets no answer either', async (t) => {
  const all = overModernRig(t, { play: () => {} });
  await all.client.initialize();
  const answer = all.client.call('prompts/get', { name: 'slow' });
  await all.client.cancel(2);
  t.is(await answer, undefined);
  t.deepEqual(sent(all), []);
});

test('a server that sends requests all the same is told that there are none, and its call goes on', async (t) => {
  const play: Play = ({ method, params, error }: Loose, channel) => {
    if (method === 'prompts/get') {
      channel.print({ id: 'q', method: 'roots/list', params });
    } else if (error !== undefined) channel.print({ id: 3, result: { got: error.code } });
  };
  const { client } = overModernRig(t, { play });
  await client.initialize({ capabilities: { roots: {} } });
  t.is((await client.call('prompts/get')).result.got, -32601);
});

test('a process that dies ends the open call with its reason, then the session', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const play: Play = ({ method }) => method === 'prompts/get' && arrived.resolve();
  const { client, pools, sessions } = overModernRig(t, { play });
  await client.initialize();
  const call = client.call('prompts/get').catch((error) => error.code);
  await arrived.promise;
  pools.opened[0]?.replica.fail({ code: 'exited', message: 'it is gone', exitCode: 1, stderr: [] });
  t.is(await call, 'replica_failed');
  t.is(sessions.count('echo'), 0);
});

for (const sharing of ['shared', 'principal', 'call'] as const) {
  test(`under sharing ${sharing} calls are served without what needs a process of one's own`, async (t) => {
    const all = overModernRig(t, { play: echo, spec: { sharing } });
    const { client, pools } = all;
    for (let number = 1; sharing === 'shared' && number <= 2; number++) {
      const { replica } = pools.make('echo', `echo-${number}`, 'pool');
      await replica.discover(1000);
      pools.pool.push(replica);
    }
    const result = await client.initialize({ capabilities: { elicitation: {} } });
    t.deepEqual(result.capabilities, { tools: {}, resources: {}, completions: {} });
    for (const method of ['logging/setLevel', 'resources/subscribe']) await refused(client, method);
    await client.call('tools/list');
    await client.call('tools/list');
    const calls = sent(all);
    t.is(calls.length, 2);
    t.deepEqual(
      calls[0].params._meta[CLIENT],
      { elicitation: {} },
      'a question comes as a result: it has a call',
    );
    const processes = pools.opened.filter(({ channel }) =>
      channel.sent.some(({ method }) => method === 'tools/list'),
    );
    t.is(processes.length, sharing === 'principal' ? 1 : 2);
    t.is(pools.released.length, sharing === 'call' ? 3 : 0);
  });
}

async function refused(client: Client, method: string): Promise<void> {
  const { error } = await client.call(method, { level: 'info', uri: 'x://a' });
  if (error?.code !== -32601) throw new Error(`${method} should be refused`);
}
