import test from 'ava';
import { type Loose, overModernRig, type Play, SUBSCRIPTION } from './rig.ts';

async function next(stream: AsyncIterator<{ data: string }>): Promise<Loose> {
  return JSON.parse((await stream.next()).value.data);
}

const listening: Play = ({ id, method, params }, channel) => {
  if (method === 'subscriptions/listen') {
    const { notifications } = params;
    const isUnknown = notifications.resourceSubscriptions?.[0] === 'x://unknown';
    const agreed = isUnknown ? {} : notifications;
    const _meta = { [SUBSCRIPTION]: id };
    channel.print({
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta, notifications: agreed },
    });
  } else if (id !== undefined) channel.print({ id, result: {} });
};

/** Ids of the subscriptions that the process has open. */
function open({ pools }: ReturnType<typeof overModernRig>): Map<unknown, Loose> {
  const found = new Map<unknown, Loose>();
  for (const { id, method, params } of pools.opened[0]?.channel.sent ?? []) {
    if (method === 'subscriptions/listen') found.set(id, (params as Loose).notifications);
    if (method === 'notifications/cancelled') found.delete((params as Loose).requestId);
  }
  return found;
}

test('changed lists and resources that were subscribed to are told on the stream of the session', async (t) => {
  const all = overModernRig(t, { play: listening });
  const { client, pools } = all;
  await client.initialize();
  t.deepEqual((await client.call('resources/subscribe', { uri: 'x://a' })).result, {});
  t.deepEqual((await client.call('resources/subscribe', { uri: 'x://a' })).result, {});
  t.deepEqual(
    [...open(all).values()],
    [{ toolsListChanged: true, resourcesListChanged: true }, { resourceSubscriptions: ['x://a'] }],
  );
  const stream = client.listen();
  const [lists, resource] = [...open(all).keys()];
  const channel = pools.opened[0]?.channel;
  const about = (id: unknown, more: object) => ({ ...more, _meta: { [SUBSCRIPTION]: id } });
  channel?.print({ method: 'notifications/tools/list_changed', params: about(lists, {}) });
  channel?.print({ method: 'notifications/resources/updated', params: about(resource, { uri: 'x://a' }) });
  t.deepEqual(await next(stream), { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} });
  t.deepEqual((await next(stream)).params, { uri: 'x://a' });
  t.deepEqual((await client.call('resources/unsubscribe', { uri: 'x://a' })).result, {});
  t.is(open(all).size, 1);
});

test('a resource that the server does not watch is refused', async (t) => {
  const all = overModernRig(t, { play: listening });
  await all.client.initialize();
  const { error } = await all.client.call('resources/subscribe', { uri: 'x://unknown' });
  t.is(error.code, -32602);
  t.is(open(all).size, 1);
});

test('a subscription that the server ends begins again', async (t) => {
  const all = overModernRig(t, { play: listening });
  await all.client.initialize();
  await all.client.call('tools/list');
  const [first] = [...open(all).keys()];
  all.pools.opened[0]?.channel.print({ id: first as number, result: { resultType: 'complete' } });
  await all.client.call('tools/list');
  all.clock.advance(1000);
  await all.client.call('tools/list');
  t.is(open(all).size, 2, 'the ended one, and the new one');
});

test('the end of a session ends its subscriptions, and its process', async (t) => {
  const { client, pools } = overModernRig(t, { play: listening });
  await client.initialize();
  t.is(pools.opened[0]?.replica.callsInFlight, 1);
  client.end();
  t.is(pools.released.length, 1);
});
