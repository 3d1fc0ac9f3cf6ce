import test, { type ExecutionContext } from 'ava';
import { GantryError } from '../../../orchestrator/kernel/index.ts';
import { headersFor, modernRequest } from '../modern/modern-request.ts';
import { aggregateRig, type Loose, NEVER, offers, type Play, reader, set } from './rig.ts';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const ASKING = { elicitation: {} };

function setUp(t: ExecutionContext, options: Parameters<typeof aggregateRig>[1] = {}) {
  const rig = aggregateRig(t, { ...options, spec: { maxSessions: 20, ...options.spec } });
  let lastId = 0;
  const reply = (method: string, params: Loose = {}, capabilities: Loose = {}, gone = NEVER) => {
    const message = modernRequest(++lastId, method, params, { capabilities });
    const sender = { server: '@all', principal: 'anonymous' };
    return rig.stateless.take(sender, message, headersFor(message), gone);
  };
  const ask = async (method: string, params: Loose = {}, capabilities: Loose = {}): Promise<Loose> => {
    const answer = await reply(method, params, capabilities);
    if (answer.kind !== 'json') throw new Error(`JSON was expected, not ${answer.kind}`);
    return answer.outcome.ok ? JSON.parse(answer.outcome.raw) : answer.outcome.error;
  };
  const listen = async (notifications: Loose, gone = NEVER) => {
    const answer = await reply('subscriptions/listen', { notifications }, {}, gone);
    if (answer.kind !== 'stream') throw new Error(`a stream was expected, not ${answer.kind}`);
    return reader(answer.stream);
  };
  return { ...rig, reply, ask, listen };
}

test('discovery and lists are answered in the modern way, without any process', async (t) => {
  const { ask, pools, catalogue } = setUp(t);
  catalogue.known.set('b', offers({ instructions: 'Be brief.' }));
  const found = await ask('server/discover');
  t.deepEqual(found.supportedVersions, ['2026-07-28']);
  t.like(found, { resultType: 'complete', capabilities: { tools: { listChanged: true } } });
  t.is(found._meta['io.modelcontextprotocol/serverInfo'].name, 'gantry');
  t.regex(found.instructions, /Be brief/);
  const { tools, resultType, cacheScope } = await ask('tools/list');
  t.deepEqual([tools, resultType, cacheScope], [[{ name: 'a__known' }], 'complete', 'private']);
  t.is((await ask('tools/list', { cursor: 'x' })).code, -32602);
  t.is(pools.opened.length, 0);
});

test('a request goes to the server that it names, under the header that its client would have sent', async (t) => {
  const { ask, pools } = setUp(t);
  const { server, params } = await ask('tools/call', { name: 'b__x', arguments: { n: 1 } });
  t.deepEqual([server, params.name, params.arguments], ['b', 'x', { n: 1 }]);
  t.deepEqual(
    pools.opened.map(({ replica }) => replica.identity.server),
    ['b'],
  );
  t.like(await ask('tools/call', { name: 'c__x' }), { code: -32602, data: { servers: ['a', 'b'] } });
  t.like(await ask('resources/read', { uri: 'x:y' }), { code: -32602, data: { uri: 'x:y' } });
});

test('what the revision has not, or no single server answers, is refused as anywhere', async (t) => {
  const { reply, stateless } = setUp(t);
  for (const method of ['initialize', 'resources/subscribe', 'tasks/get']) {
    const error = await t.throwsAsync(reply(method, { uri: 'a+x:y' }), { instanceOf: GantryError });
    t.is((error as GantryError).code, 'method_not_found', method);
  }
  const message = modernRequest(1, 'tools/call', { name: 'a__x' });
  const sender = { server: '@all', principal: 'p' };
  const wrong = stateless.take(sender, message, (name) => headersFor(modernRequest(1, 'x'))(name), NEVER);
  t.is(((await t.throwsAsync(wrong)) as GantryError).code, 'header_mismatch');
});

const elicits: Play = (_server, { id, method, result }, channel) => {
  if (method === 'tools/call')
    channel.print({ id: 'q', method: 'elicitation/create', params: { message: '?' } });
  const call = channel.sent.find((sent) => sent.method === 'tools/call');
  if (id === ('q' as Loose) && result !== undefined) channel.print({ id: call?.id, result: { got: result } });
  return method === 'tools/call' || method === undefined;
};

test('a retry after input_required reaches the very call that asked', async (t) => {
  const { ask, pools } = setUp(t, { play: elicits });
  const first = await ask('tools/call', { name: 'a__x' }, ASKING);
  t.is(first.resultType, 'input_required');
  const [name = ''] = Object.keys(first.inputRequests);
  const retry = { inputResponses: { [name]: { action: 'accept' } }, requestState: first.requestState };
  const error = await t.throwsAsync(ask('tools/call', { name: 'b__x', ...retry }, ASKING));
  t.like((error as GantryError).detail, { reason: 'foreign' });
  const done = await ask('tools/call', { name: 'a__x', ...retry }, ASKING);
  t.deepEqual(done.got, { action: 'accept' });
  t.is(
    pools.opened.filter(({ channel }) => channel.sent.some(({ method }) => method === 'tools/call')).length,
    1,
  );
});

test('a subscription is acknowledged with the resources that are watched, and hears of them under the URIs it knows', async (t) => {
  const { listen, pools, ask, catalogue } = setUp(t);
  const uris = ['a+x:1', 'b+x:1', 'c+x:1', 'x:1'];
  const next = await listen({ toolsListChanged: true, resourceSubscriptions: uris });
  const { method, params } = await next();
  t.is(method, 'notifications/subscriptions/acknowledged');
  t.deepEqual(params.notifications, {
    toolsListChanged: true,
    resourceSubscriptions: ['a+x:1', 'b+x:1'],
  });
  const ofB = pools.opened.find(({ replica }) => replica.identity.server === 'b');
  ofB?.channel.print({ method: 'notifications/resources/updated', params: { uri: 'x:1' } });
  t.deepEqual((await next()).params, { uri: 'b+x:1', _meta: { [SUBSCRIPTION]: 1 } });
  ofB?.channel.print({ method: 'notifications/tools/list_changed' });
  t.like(await next(), {
    method: 'notifications/tools/list_changed',
    params: { _meta: { [SUBSCRIPTION]: 1 } },
  });
  t.deepEqual((await ask('tools/list')).tools, [{ name: 'a__known' }, { name: 'b__own-of-b' }]);
  // Another program has taken the place of that server.
  catalogue.known.set('b', offers({ tools: [{ name: 'newer' }] }));
  t.deepEqual((await ask('tools/list')).tools, [{ name: 'a__known' }, { name: 'b__newer' }]);
});

test('a subscription to lists starts nothing, hears of what becomes known, and of servers once they are called', async (t) => {
  const { listen, pools, ask, catalogue } = setUp(t);
  const next = await listen({ toolsListChanged: true });
  t.is((await next()).method, 'notifications/subscriptions/acknowledged');
  t.is(pools.opened.length, 0);
  catalogue.known.set('a', offers({ tools: [{ name: 'another' }] }));
  pools.facts.state({ type: 'server.offers', server: 'a' });
  t.is((await next()).method, 'notifications/tools/list_changed');
  await ask('tools/call', { name: 'b__x' });
  await new Promise((resolve) => setImmediate(resolve));
  pools.opened[0]?.channel.print({ method: 'notifications/tools/list_changed' });
  t.is((await next()).method, 'notifications/tools/list_changed');
});

test('a process that watched resources and died ends the subscription with the reason, and a client that leaves ends all', async (t) => {
  const { listen, pools } = setUp(t);
  const leaving = new AbortController();
  const left = await listen({ resourceSubscriptions: ['b+x:1'] }, leaving.signal);
  await left();
  leaving.abort();
  const next = await listen({ resourceSubscriptions: ['a+x:1'] });
  await next();
  const ofA = pools.opened.find(({ replica }) => replica.identity.server === 'a');
  ofA?.replica.stopped();
  t.deepEqual(await next(), { id: 2, error: { code: 'replica_failed' } });
  t.is(await next(), null);
});

test('what a server lists for a client that can do more is learned by its first call', async (t) => {
  const { ask, aggregates, catalogue } = setUp(t);
  await ask('tools/call', { name: 'a__x' }, ASKING);
  const learned = new Promise<void>((resolve) => void aggregates.watch(resolve));
  await learned;
  t.is(catalogue.learnt.size, 1);
  t.deepEqual((await ask('tools/list', {}, ASKING)).tools[0], { name: 'a__own-of-a' });
  t.deepEqual((await ask('tools/list')).tools[0], { name: 'a__known' });
});

test('a request for one server goes on as it is, and a set is checked', async (t) => {
  const { stateless } = aggregateRig(t, { sets: [set('s', ['a'])] });
  const message = modernRequest(1, 'tools/call', { name: 'x__y' });
  const one = await stateless.take({ server: 'a', principal: 'p' }, message, headersFor(message), NEVER);
  t.like(one, { kind: 'json', outcome: { ok: true, result: { params: { name: 'x__y' } } } });
  const unknown = stateless.take({ server: '@t', principal: 'p' }, message, headersFor(message), NEVER);
  t.is(((await t.throwsAsync(unknown)) as GantryError).code, 'server_not_found');
});
