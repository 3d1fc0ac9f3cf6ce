import test from 'ava';
import type { OutEvent } from '../../../orchestrator/session/index.ts';
import { modernRequest } from './modern-request.ts';
import { type Loose, type Play, sentMethods, statelessRig, streamOf } from './rig.ts';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const listen = (id: string | number, notifications: Loose) =>
  modernRequest(id, 'subscriptions/listen', { notifications });

/** Reads one message after the other. */
function reader(stream: AsyncIterable<OutEvent>): () => Promise<Loose> {
  const messages = stream[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await messages.next();
    return done ? null : JSON.parse((value as OutEvent).data);
  };
}

const changes: Play = ({ id, method }, channel) => {
  if (method === 'prompts/get') channel.print({ method: 'notifications/tools/list_changed' });
  if (id !== undefined) channel.print({ id, result: {} });
};

test('the acknowledgement comes first, with what will be told, under the id of the request', async (t) => {
  const { send } = statelessRig(t);
  const wanted = {
    toolsListChanged: true,
    promptsListChanged: false,
    resourceSubscriptions: ['a', 7],
    other: 1,
  };
  const next = reader(streamOf(await send(listen('mine', wanted))));
  t.deepEqual(await next(), {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: {
      notifications: { toolsListChanged: true, resourceSubscriptions: ['a'] },
      _meta: { [SUBSCRIPTION]: 'mine' },
    },
  });
});

test('a changed list is told to the subscriptions of that principal that want it, and to no other', async (t) => {
  const { send, stateless } = statelessRig(t, { play: changes });
  const alice = reader(streamOf(await send(listen(0, { toolsListChanged: true }))));
  const deaf = reader(streamOf(await send(listen(1, { promptsListChanged: true }))));
  const bob = reader(streamOf(await send(listen(2, { toolsListChanged: true }), 'bob')));
  await send(modernRequest(3, 'prompts/get', { name: 'a' }));
  stateless.drain();
  await alice();
  t.deepEqual(await alice(), {
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: { [SUBSCRIPTION]: 0 } },
  });
  for (const [id, next] of [
    [1, deaf],
    [2, bob],
  ] as const) {
    await next();
    t.is((await next()).id, id, 'only the end');
  }
});

test('under sharing shared every subscription hears of a changed list, and resources are not offered', async (t) => {
  const { send, pools } = statelessRig(t, { spec: { sharing: 'shared' }, play: changes });
  const standing = pools.make('echo', 'echo-1', 'pool');
  await standing.replica.greet(1000);
  pools.pool = [standing.replica];
  const wanted = { toolsListChanged: true, resourceSubscriptions: ['a'] };
  const next = reader(streamOf(await send(listen(1, wanted), 'bob')));
  t.deepEqual((await next()).params.notifications, { toolsListChanged: true });
  await send(modernRequest(3, 'prompts/get', { name: 'a' }), 'alice');
  t.is((await next()).method, 'notifications/tools/list_changed');
});

test('a resource is watched in a process of the subscription’s own, which ends when its client leaves', async (t) => {
  const subscribed = Promise.withResolvers<void>();
  const play: Play = ({ id, method, params }, channel) => {
    if (id !== undefined) channel.print({ id, result: {} });
    if (method !== 'resources/subscribe') return;
    subscribed.resolve();
    for (const uri of ['test://other', params?.uri])
      channel.print({ method: 'notifications/resources/updated', params: { uri } });
  };
  const { send, pools } = statelessRig(t, { play });
  const gone = new AbortController();
  const reply = await send(listen(5, { resourceSubscriptions: ['test://a'] }), 'alice', gone.signal);
  const next = reader(streamOf(reply));
  await next();
  await subscribed.promise;
  const updated = await next();
  t.deepEqual([updated.method, updated.params.uri], ['notifications/resources/updated', 'test://a']);
  t.deepEqual(sentMethods(pools), ['resources/subscribe']);
  const released = new Promise<string>((resolve) => {
    pools.release = async (_replica, why) => resolve(why);
  });
  gone.abort();
  t.is(await released, 'its subscription ended');
});

test('a server that refuses to watch a resource ends the subscription with its reason', async (t) => {
  const play: Play = ({ id }, channel) => channel.print({ id, error: { code: -32601, message: 'no' } });
  const { send } = statelessRig(t, { play });
  const next = reader(streamOf(await send(listen(5, { resourceSubscriptions: ['a'] }))));
  await next();
  t.deepEqual(await next(), { id: 5, error: 'mcp_error' });
  t.is(await next(), null);
});
