import test from 'ava';
import { GantryError } from '../../../orchestrator/kernel/index.ts';
import { aggregateRig, openClient, reader } from './rig.ts';

test('the end of a process ends its calls with a typed error, and the next call opens another', async (t) => {
  const rig = aggregateRig(t, {
    play: (_server, { method }) => method === 'stay/silent' || method === 'prompts/get',
  });
  const client = await openClient(rig);
  await client.ask('tools/call', { name: 'a__x' });
  await client.ask('tools/call', { name: 'b__x' });
  const open = client.reply('prompts/get', { name: 'a__p' });
  await new Promise((resolve) => setImmediate(resolve));
  rig.pools.opened[0]?.replica.stopped();
  t.is(((await t.throwsAsync(open)) as GantryError).code, 'replica_failed');
  t.like(await client.ask('tools/call', { name: 'a__x' }), { server: 'a' });
  t.deepEqual(
    rig.pools.opened.map(({ replica }) => replica.identity.server),
    ['a', 'b', 'a'],
  );
});

test('what was watched in a process that died is told as changed, and watched again by the next', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig);
  await client.ask('resources/subscribe', { uri: 'a+x:1' });
  await client.ask('resources/subscribe', { uri: 'a+x:2' });
  await client.ask('resources/unsubscribe', { uri: 'a+x:2' });
  const heard = reader(client.listen());
  rig.pools.opened[0]?.channel.print({ method: 'notifications/resources/updated', params: { uri: 'x:1' } });
  t.like(await heard(), { method: 'notifications/resources/updated', params: { uri: 'a+x:1' } });
  rig.pools.opened[0]?.replica.stopped();
  t.like(await heard(), { method: 'notifications/resources/updated', params: { uri: 'a+x:1' } });
  await client.ask('resources/read', { uri: 'a+x:1' });
  const again = rig.pools.opened[1]?.channel.sent.filter(({ method }) => method === 'resources/subscribe');
  t.deepEqual(
    again?.map(({ params }) => params),
    [{ uri: 'x:1' }],
  );
});

test('the end of the session ends all that it holds, and a session that nobody needs is ended before', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig);
  await client.ask('tools/call', { name: 'a__x' });
  rig.clock.advance(4000);
  await client.ask('tools/call', { name: 'b__x' });
  rig.clock.advance(2000);
  t.deepEqual(rig.pools.released, [{ id: 'a-s-0', why: 'idle' }]);
  t.deepEqual(
    ['a', 'b'].map((name) => rig.aggregates.sessionsOn(name)),
    [0, 1],
  );
  client.end();
  t.is(rig.aggregates.sessionsOn('b'), 0);
  t.deepEqual(rig.pools.released.at(-1), { id: 'b-s-1', why: 'ended by the client' });
  await t.throwsAsync(client.ask('ping'), { instanceOf: GantryError });
});

test('a server that is removed while a session on it is open is a name of nobody from then on', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig);
  await client.ask('tools/call', { name: 'a__x' });
  rig.pools.specs.delete('a');
  rig.pools.opened[0]?.channel.print({ method: 'notifications/tools/list_changed' });
  t.like(await client.ask('tools/call', { name: 'a__x' }), { code: -32602, data: { servers: ['b'] } });
  t.deepEqual(await client.ask('tools/list'), { tools: [{ name: 'b__known' }] });
  rig.clock.advance(1000);
  t.deepEqual(
    rig.pools.released.map(({ id }) => id),
    ['a-s-0'],
  );
});

test('a cancelled call is cancelled at its server, also while its session is only being opened', async (t) => {
  const rig = aggregateRig(t, {
    play: (server, { method }) => method === 'tools/call' || (server === 'b' && method === 'initialize'),
  });
  const client = await openClient(rig);
  const calls = [client.reply('tools/call', { name: 'a__x' }), client.reply('tools/call', { name: 'b__x' })];
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  for (const requestId of [1, 2]) await client.notify('notifications/cancelled', { requestId });
  for (const reply of await Promise.all(calls)) {
    if (reply.kind !== 'stream') throw new Error('an empty stream was expected');
    t.is(await reader(reply.stream)(), null);
  }
  const [ofA, ofB] = rig.pools.opened.map(({ channel }) => channel.sent.map(({ method }) => method));
  t.is(ofA?.at(-1), 'notifications/cancelled');
  t.false(ofB?.includes('tools/call'));
});

test('changed roots are told to every server that has a session, and to no other', async (t) => {
  const rig = aggregateRig(t);
  const client = await openClient(rig, { capabilities: { roots: { listChanged: true } } });
  await client.ask('tools/call', { name: 'a__x' });
  await client.notify('notifications/roots/list_changed', {});
  const told = rig.pools.opened.map(({ replica, channel }) => [
    replica.identity.server,
    channel.sent.some(({ method }) => method === 'notifications/roots/list_changed'),
  ]);
  t.deepEqual(told, [['a', true]]);
});

test('processes that die again and again leave one timer that looks for idle ones, not one each', async (t) => {
  const rig = aggregateRig(t, { spec: { maxSessions: 9 } });
  const client = await openClient(rig);
  await client.ask('tools/call', { name: 'a__x' });
  const { waiting } = rig.clock;
  for (let death = 0; death < 3; death++) {
    rig.pools.opened.at(-1)?.replica.stopped();
    await new Promise((resolve) => setImmediate(resolve));
    await client.ask('tools/call', { name: 'a__x' });
  }
  t.is(rig.pools.opened.length, 4);
  t.is(rig.clock.waiting, waiting);
});
