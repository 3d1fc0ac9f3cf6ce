import test from 'ava';
import { failure } from '../../failure.ts';
import { modernRequest } from './modern-request.ts';
import { jsonOf, type Loose, type Play, read, resultOf, sentMethods, statelessRig, streamOf } from './rig.ts';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

test('a request is relayed with all it says, and its result comes back as the server wrote it', async (t) => {
  const play: Play = ({ id }, channel) =>
    channel.print(`{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","n":9007199254740993}}`);
  const { send, pools } = statelessRig(t, { modern: true, play });
  const call = modernRequest(1, 'prompts/get', { name: 'a' }, { capabilities: { roots: {} } });
  const reply = await send(call);
  t.true(reply.kind === 'json' && reply.outcome.ok);
  t.is(
    reply.kind === 'json' && reply.outcome.ok && reply.outcome.raw,
    '{"resultType":"complete","n":9007199254740993}',
  );
  t.deepEqual(pools.opened.at(-1)?.channel.sent.at(-1)?.params, call.params);
});

test('errors of the server keep their numbers', async (t) => {
  const error = { code: -32021, message: 'no roots', data: { requiredCapabilities: { roots: {} } } };
  const { send } = statelessRig(t, { modern: true, play: ({ id }, channel) => channel.print({ id, error }) });
  t.deepEqual(jsonOf(await send(modernRequest(1, 'prompts/get'))).error, error);
});

test('clients that use the same ids and progress tokens at the same time never cross', async (t) => {
  const open: { id: unknown; token: unknown; who: unknown }[] = [];
  const play: Play = ({ id, params }, channel) => {
    open.push({ id, token: (params as Loose)._meta.progressToken, who: params?.name });
    if (open.length < 2) return;
    for (const { id, token, who } of open.reverse()) {
      const progress = { progressToken: token, progress: 1, message: who };
      channel.print({ method: 'notifications/progress', params: progress });
      channel.print({ id, result: { who } });
    }
  };
  const { send, pools } = statelessRig(t, { modern: true, play, spec: { sharing: 'shared' } });
  const ask = (name: string) =>
    send(modernRequest(1, 'prompts/get', { name }, { meta: { progressToken: 1 } }), name);
  for (const [name, reply] of (await Promise.all([ask('a'), ask('b')])).entries()) {
    const [progress, answer] = await read(streamOf(reply));
    const who = 'ab'[name];
    t.deepEqual([progress.params.message, progress.params.progressToken, answer.result.who], [who, 1, who]);
  }
  t.is(pools.opened.length, 1, 'one for both');
});

test('subscriptions of several clients on one process are told apart, under their own ids', async (t) => {
  const ids: unknown[] = [];
  const play: Play = ({ id, method, params }, channel) => {
    if (method === 'subscriptions/listen') {
      ids.push(id);
      const _meta = { [SUBSCRIPTION]: id };
      channel.print({ method: 'notifications/subscriptions/acknowledged', params: { _meta } });
    } else if (method === 'prompts/get') {
      for (const subscription of ids) {
        const _meta = { [SUBSCRIPTION]: subscription };
        channel.print({ method: 'notifications/tools/list_changed', params: { _meta, for: subscription } });
        channel.print({ id: subscription as number, result: { resultType: 'complete', _meta } });
      }
      channel.print({ id, result: { params } });
    }
  };
  const { send } = statelessRig(t, { modern: true, play, spec: { sharing: 'shared' } });
  const streams = [];
  for (const principal of ['alice', 'bob']) {
    const request = modernRequest('same', 'subscriptions/listen', { notifications: {} });
    streams.push(streamOf(await send(request, principal)));
  }
  await send(modernRequest(1, 'prompts/get', { name: 'x' }));
  for (const [index, stream] of streams.entries()) {
    const [acknowledged, changed, end] = await read(stream);
    t.is(acknowledged.params._meta[SUBSCRIPTION], 'same');
    t.deepEqual(changed.params, { _meta: { [SUBSCRIPTION]: 'same' }, for: ids[index] });
    t.is(end.result._meta[SUBSCRIPTION], 'same');
  }
});

test('a subscription ends with its answer when its process is about to stop, and when Gantry is', async (t) => {
  const play: Play = ({ id, method }, channel) => {
    const _meta = { [SUBSCRIPTION]: id };
    if (method === 'subscriptions/listen')
      channel.print({ method: 'notifications/subscriptions/acknowledged', params: { _meta } });
  };
  const { send, pools, stateless } = statelessRig(t, { modern: true, play });
  for (const stop of [() => pools.opened.at(-1)?.replica.drain(0), () => stateless.drain()]) {
    const stream = streamOf(await send(modernRequest('mine', 'subscriptions/listen', { notifications: {} })));
    stop();
    const end = (await read(stream)).at(-1);
    t.deepEqual(end.result, { resultType: 'complete', _meta: { [SUBSCRIPTION]: 'mine' } });
  }
});

test('the state of the server travels inside a signed one: forged or stolen it never reaches the server', async (t) => {
  const play: Play = ({ id, params }, channel) => {
    const { requestState } = params as Loose;
    const result =
      requestState === undefined ? { resultType: 'input_required', requestState: 'raw' } : { requestState };
    channel.print({ id, result: requestState === undefined ? result : { got: requestState } });
  };
  const { send, pools } = statelessRig(t, { modern: true, play });
  const { requestState } = resultOf(await send(modernRequest(1, 'prompts/get', { name: 'a' })));
  t.not(requestState, 'raw');
  const retry = (state: string) => modernRequest(2, 'prompts/get', { name: 'a', requestState: state });
  t.is((await failure(send(retry('raw')))).detail.reason, 'forged');
  t.is((await failure(send(retry(requestState), 'mallory'))).detail.reason, 'foreign');
  t.is(sentMethods(pools).length, 1);
  t.is(resultOf(await send(retry(requestState))).got, 'raw');
});

test('under sharing shared the standing replicas serve in turns where they can, a process of their own era where not', async (t) => {
  for (const [verdict, used] of [
    [{ era: 'modern', mixed: false }, 4],
    [{ era: 'both', mixed: true }, 4],
    [{ era: 'both', mixed: false }, 0],
  ] as const) {
    const { send, pools } = statelessRig(t, { modern: true, spec: { sharing: 'shared' } });
    pools.verdict = verdict;
    for (let number = 1; number <= 4; number++) {
      const { replica } = pools.make('echo', `echo-${number}`, 'pool');
      await replica.greetIn(verdict.era === 'modern' ? 'modern' : 'legacy', 1000);
      pools.pool.push(replica);
    }
    for (let call = 0; call < 8; call++) await send(modernRequest(call, 'prompts/get', { name: 'x' }));
    const calls = pools.opened.map(({ channel }) => channel.sent.filter(isPrompt).length);
    t.deepEqual(calls, used === 4 ? [2, 2, 2, 2] : [0, 0, 0, 0, 8], JSON.stringify(verdict));
  }
});

test('under sharing principal the replica that serves a principal over the API serves it here too', async (t) => {
  const { send, pools } = statelessRig(t, { modern: true, spec: { sharing: 'principal' } });
  pools.verdict = { era: 'modern', mixed: false };
  const held = await pools.heldFor('echo', 'alice');
  await send(modernRequest(1, 'prompts/get', { name: 'x' }));
  t.is(pools.opened.length, 1);
  t.is(held.handshake?.era, 'modern');
});

function isPrompt({ method }: { method?: string }): boolean {
  return method === 'prompts/get';
}
