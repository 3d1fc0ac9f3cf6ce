import test from 'ava';
import { GantryError } from '../../../orchestrator/kernel/index.ts';
import { aggregateRig, offers, openClient, reader, set } from './rig.ts';

test('it introduces itself with the names of its servers and what they say of themselves', async (t) => {
  const rig = aggregateRig(t);
  rig.catalogue.known.set('b', offers({ instructions: 'Be brief.' }));
  const { greeting } = await openClient(rig);
  t.is(greeting.serverInfo.name, 'gantry');
  t.is(greeting.protocolVersion, '2025-11-25');
  t.deepEqual(Object.keys(greeting.capabilities), [
    'tools',
    'prompts',
    'resources',
    'completions',
    'logging',
  ]);
  t.regex(greeting.instructions, /\(a, b\)[\s\S]*# b\nBe brief\./);
});

test('lists and pings are answered without any process', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig);
  t.deepEqual(await client.ask('tools/list'), { tools: [{ name: 'a__known' }, { name: 'b__known' }] });
  t.deepEqual(await client.ask('resources/list'), { resources: [] });
  t.deepEqual(await client.ask('ping'), {});
  t.is((await client.ask('tools/list', { cursor: 'x' })).code, -32602);
  t.is((await client.ask('tasks/list')).code, -32601);
  t.is(rig.pools.opened.length, 0);
});

test('a server that has failed, was stopped, or has never listed is left out and counted', async (t) => {
  const rig = aggregateRig(t, { sets: [set('all-three', ['b', 'gone', 'a'])] });
  const counted: string[] = [];
  rig.pools.facts.listen((fact) => {
    if (fact.type === 'server.left_out') counted.push(`${fact.server} ${fact.why}`);
  });
  rig.catalogue.states.set('a', { state: 'stopped', reason: null });
  rig.catalogue.known.delete('b');
  rig.catalogue.states.set('b', { state: 'starting', reason: null });
  const client = await openClient(rig, { endpoint: '@all-three' });
  const { tools, _meta } = await client.ask('tools/list');
  t.deepEqual(tools, []);
  t.deepEqual(_meta['gantry/leftOut'], [
    { server: 'a', state: 'stopped', reason: null },
    { server: 'b', state: 'starting', reason: null },
    { server: 'gone', state: 'unknown', reason: null },
  ]);
  t.deepEqual(counted, ['a stopped', 'b starting']);
});

test('a call opens a session on its server alone, in the words of the client, and keeps it', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig, { capabilities: { roots: {} } });
  const answered = await client.ask('tools/call', { name: 'b__x', arguments: { n: 1 } });
  t.deepEqual(answered, { server: 'b', method: 'tools/call', params: { name: 'x', arguments: { n: 1 } } });
  await client.ask('prompts/get', { name: 'b__p' });
  t.is(rig.pools.opened.length, 1);
  const sent = rig.pools.opened[0]?.channel.sent ?? [];
  t.like(sent[0], {
    method: 'initialize',
    params: { capabilities: { roots: {} }, clientInfo: { name: 'c' } },
  });
  t.is(sent[1]?.method, 'notifications/initialized');
});

test('an unknown name is refused here, and an unknown set is not there', async (t) => {
  const rig = aggregateRig(t, { sets: [set('only-a', ['a'], { allow: null, deny: ['a__no'] })] });
  const client = await openClient(rig, { endpoint: '@only-a' });
  for (const name of ['b__x', 'x', 'a__no']) {
    t.like(await client.ask('tools/call', { name }), {
      code: -32602,
      data: { code: 'tool_not_found', tool: name, servers: ['a'] },
    });
  }
  t.is(rig.pools.opened.length, 0);
  const error = await t.throwsAsync(openClient(rig, { endpoint: '@other' }), { instanceOf: GantryError });
  t.like(error as GantryError, {
    code: 'server_not_found',
    detail: { set: 'other', sets: ['all', 'only-a'] },
  });
});

test('two servers that ask under the same id are told apart, and progress of the client finds the one that asked', async (t) => {
  const rig = aggregateRig(t, {
    play: (_server, { id, method, result }, channel) => {
      if (method === 'tools/call')
        channel.print({ id: 0, method: 'sampling/createMessage', params: { _meta: { progressToken: 7 } } });
      if (result !== undefined) channel.print({ id: 1, result });
      return method === 'tools/call' || result !== undefined || id === undefined;
    },
  });
  const client = await openClient(rig);
  const streams = [];
  for (const server of ['a', 'b']) {
    const reply = await client.reply('tools/call', { name: `${server}__x` });
    if (reply.kind !== 'stream') throw new Error('a stream was expected');
    streams.push(reader(reply.stream));
  }
  const [fromA, fromB] = [await streams[0]?.(), await streams[1]?.()];
  t.not(fromA.id, fromB.id);
  await client.notify('notifications/progress', {
    progressToken: fromB.params._meta.progressToken,
    progress: 1,
  });
  const heardByB = rig.pools.opened[1]?.channel.sent.find(
    ({ method }) => method === 'notifications/progress',
  );
  t.deepEqual(heardByB?.params, { progressToken: 7, progress: 1 });
  t.false(rig.pools.opened[0]?.channel.sent.some(({ method }) => method === 'notifications/progress'));
  await client.respond(fromB.id, 'for b');
  await client.respond(fromA.id, 'for a');
  const answers = rig.pools.opened.map(({ channel }) =>
    channel.sent.filter(({ result }) => result !== undefined),
  );
  t.deepEqual(
    answers.map(([one]) => [one?.id, one?.result]),
    [
      [0, 'for a'],
      [0, 'for b'],
    ],
  );
});

test('what a server lists for this client is learned by its first call, shown from then on, and told', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig, { capabilities: { sampling: {}, other: {} } });
  await client.ask('tools/list');
  const heard = reader(client.listen());
  await client.ask('tools/call', { name: 'a__x' });
  t.is((await heard()).method, 'notifications/tools/list_changed');
  t.deepEqual(await client.ask('tools/list'), { tools: [{ name: 'a__own-of-a' }, { name: 'b__known' }] });
  // Another client that can do the same is shown it at once; one that can do less is not.
  const alike = await openClient(rig, { capabilities: { sampling: {} } });
  t.like(await alike.ask('tools/list'), { tools: [{ name: 'a__own-of-a' }, { name: 'b__known' }] });
  const other = await openClient(rig);
  t.like(await other.ask('tools/list'), { tools: [{ name: 'a__known' }, { name: 'b__known' }] });
});

test('a list that changes in one process is read anew, for its session alone', async (t) => {
  const rig = aggregateRig(t);
  const [client, other] = [await openClient(rig), await openClient(rig)];
  await client.ask('tools/list');
  await client.ask('tools/call', { name: 'a__x' });
  const heard = reader(client.listen());
  rig.pools.opened[0]?.channel.print({ method: 'notifications/tools/list_changed' });
  t.is((await heard()).method, 'notifications/tools/list_changed');
  t.deepEqual((await client.ask('tools/list')).tools[0], { name: 'a__own-of-a' });
  t.deepEqual((await other.ask('tools/list')).tools[0], { name: 'a__known' });
});

test('a level of log messages holds for servers that are called later, and messages name their server', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig);
  t.deepEqual(await client.ask('logging/setLevel', { level: 'error' }), {});
  t.is((await client.ask('logging/setLevel', { level: 'loud' })).code, -32602);
  await client.ask('tools/call', { name: 'a__x' });
  const { channel } = rig.pools.opened[0] ?? {};
  t.deepEqual(channel?.sent.find(({ method }) => method === 'logging/setLevel')?.params, { level: 'error' });
  const heard = reader(client.listen());
  channel?.print({ method: 'notifications/message', params: { level: 'error', logger: 'l', data: 1 } });
  channel?.print({ method: 'notifications/message', params: { level: 'error', data: 2 } });
  t.is((await heard()).params.logger, 'a/l');
  t.is((await heard()).params.logger, 'a');
});

test('filters of a server and of its set leave out tools, and a client is told when they change', async (t) => {
  const sets = [set('only-a', ['a'], { allow: ['a__k*'], deny: [] })];
  const rig = aggregateRig(t, { sets, spec: { tools: { allow: null, deny: ['known2'] } } });
  rig.catalogue.known.set('a', offers({ tools: ['known', 'known2', 'other'].map((name) => ({ name })) }));
  const client = await openClient(rig, { endpoint: '@only-a' });
  t.deepEqual(await client.ask('tools/list'), { tools: [{ name: 'a__known' }] });
  const heard = reader(client.listen());
  sets[0] = set('only-a', ['a'], { allow: null, deny: ['a__known'] });
  rig.pools.facts.state({ type: 'config.applied', added: 0, changed: 0, removed: 0 });
  t.is((await heard()).method, 'notifications/tools/list_changed');
  t.deepEqual(await client.ask('tools/list'), { tools: [{ name: 'a__other' }] });
});

test('another principal is not shown the resources of somebody else', async (t) => {
  const rig = aggregateRig(t, { spec: { data: '/data' } });
  rig.catalogue.known.set('a', offers({ resources: [{ uri: 'x:1' }], tools: [{ name: 't' }] }));
  const shown = (principal: string) =>
    rig.aggregates.members('@all', { principal, capabilities: {} })[0]?.offers;
  t.is(shown('anonymous')?.resources.length, 1);
  t.is(shown('alice')?.resources.length, 0);
  t.is(shown('alice')?.tools.length, 1);
});
