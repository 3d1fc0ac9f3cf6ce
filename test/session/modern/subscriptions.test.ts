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

const A = 'test://a';
const watching: Play = ({ id, method }, channel) => {
  const updated = (uri: string): void =>
    channel.print({ method: 'notifications/resources/updated', params: { uri } });
  // What it says of the resource at once belongs to the subscription already.
  if (method === 'resources/subscribe') updated(A);
  if (id !== undefined) channel.print({ id, result: {} });
  const isWatched = channel.sent.some((message) => message.method === 'resources/subscribe');
  if (method === 'prompts/get' && isWatched) for (const uri of ['test://other', A]) updated(uri);
};

test('a resource is watched in the process that serves the calls, so what a call changes is told', async (t) => {
  const { send, pools } = statelessRig(t, { play: watching });
  const next = reader(streamOf(await send(listen(5, { resourceSubscriptions: [A] }))));
  t.is((await next()).method, 'notifications/subscriptions/acknowledged');
  t.is((await next()).params.uri, A);
  await send(modernRequest(6, 'prompts/get', { name: 'a' }));
  const updated = await next();
  t.deepEqual([updated.method, updated.params.uri], ['notifications/resources/updated', A]);
  t.deepEqual(sentMethods(pools), ['resources/subscribe', 'prompts/get']);
});

test('a change of a resource is told to those who watch it in that process, and to no other', async (t) => {
  const { send, stateless } = statelessRig(t, { play: watching });
  const bob = reader(streamOf(await send(listen(1, { resourceSubscriptions: [A] }), 'bob')));
  const deaf = reader(streamOf(await send(listen(2, { resourceSubscriptions: ['test://b'] }))));
  for (const next of [bob, deaf]) t.is((await next()).method, 'notifications/subscriptions/acknowledged');
  t.is((await bob()).params.uri, A, 'said of its own process');
  await send(modernRequest(3, 'prompts/get', { name: 'a' }));
  stateless.drain();
  t.is((await bob()).id, 1, 'only the end');
  t.is((await deaf()).id, 2, 'only the end');
});

test('several who watch one resource are one at the server, until the last has left', async (t) => {
  const { send, pools } = statelessRig(t, { play: watching });
  const [one, other] = [new AbortController(), new AbortController()];
  for (const gone of [one, other]) {
    const reply = await send(listen(7, { resourceSubscriptions: [A] }), 'alice', gone.signal);
    t.is((await reader(streamOf(reply))()).method, 'notifications/subscriptions/acknowledged');
  }
  one.abort();
  await send(modernRequest(8, 'tools/list', {}));
  t.deepEqual(sentMethods(pools), ['resources/subscribe', 'tools/list']);
  other.abort();
  await send(modernRequest(9, 'tools/list', {}));
  t.is(sentMethods(pools).filter((method) => method === 'resources/unsubscribe').length, 1);
});

test('a server that refuses to watch a resource ends the subscription with its reason, unacknowledged', async (t) => {
  const play: Play = ({ id }, channel) => channel.print({ id, error: { code: -32601, message: 'no' } });
  const { send } = statelessRig(t, { play });
  const next = reader(streamOf(await send(listen(5, { resourceSubscriptions: ['a'] }))));
  t.deepEqual(await next(), { id: 5, error: 'mcp_error' });
  t.is(await next(), null);
});

test('when the process that watches ends, so does the subscription, with a reason', async (t) => {
  const { send, pools } = statelessRig(t, { play: watching });
  const next = reader(streamOf(await send(listen(5, { resourceSubscriptions: [A] }))));
  await next();
  await next();
  await pools.opened.at(-1)?.channel.end();
  t.deepEqual(await next(), { id: 5, error: 'replica_failed' });
});
