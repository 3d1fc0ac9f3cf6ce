import test from 'ava';
import { failure } from '../../failure.ts';
import type { FakeChannel } from '../../fakes/fake-channel.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { modernRequest } from './modern-request.ts';
import { type Loose, type Play, read, resultOf, sentMethods, statelessRig, streamOf } from './rig.ts';

const capabilities = { elicitation: {}, roots: {} };
const TEN_MINUTES_MS = 600_000;

/** A prompt that asks one thing and answers with what it was told. */
const asksName: Play = ({ id, method, result }, channel) => {
  if (method === 'prompts/get') {
    open.set(channel, id);
    channel.print({ id: 0, method: 'elicitation/create', params: { message: 'Name?' } });
  } else if (method === undefined) {
    channel.print({ id: open.get(channel), result: { told: result } });
  }
};
const open = new Map<FakeChannel, unknown>();

const first = (extra: Record<string, unknown> = {}) =>
  modernRequest(1, 'prompts/get', { name: 'greet', ...extra }, { capabilities });
const retry = (
  requestState: unknown,
  name = 'greet',
  inputResponses: Loose = { input_1: { action: 'accept' } },
) => modernRequest(2, 'prompts/get', { name, requestState, inputResponses }, { capabilities });

test('a question of the server becomes input_required, and the answer reaches the very call that asked', async (t) => {
  const { send, pools } = statelessRig(t, { play: asksName });
  const asked = resultOf(await send(first()));
  t.is(asked.resultType, 'input_required');
  t.deepEqual(asked.inputRequests, {
    input_1: { method: 'elicitation/create', params: { message: 'Name?' } },
  });
  const answer = resultOf(await send(retry(asked.requestState)));
  t.like(answer, { resultType: 'complete', told: { action: 'accept' } });
  t.deepEqual(sentMethods(pools), ['prompts/get', undefined], 'the call was made once');
});

test('questions asked together come together, and one that was not answered is asked again', async (t) => {
  const play: Play = ({ id, method }, channel) => {
    if (method === 'prompts/get') {
      open.set(channel, id);
      channel.print({ id: 'a', method: 'elicitation/create' });
      channel.print({ id: 'b', method: 'roots/list' });
    } else if (id === ('b' as unknown)) {
      channel.print({ id: open.get(channel), result: {} });
    }
  };
  const { send } = statelessRig(t, { play });
  const asked = resultOf(await send(first()));
  t.deepEqual(Object.keys(asked.inputRequests), ['input_1', 'input_2']);
  const again = resultOf(await send(retry(asked.requestState)));
  t.deepEqual(Object.keys(again.inputRequests), ['input_2']);
  t.not(again.requestState, asked.requestState);
  const answers = { input_2: { roots: [] }, other: 'ignored' };
  t.is(resultOf(await send(retry(again.requestState, 'greet', answers))).resultType, 'complete');
});

test('a client is not asked for what it did not offer', async (t) => {
  const play: Play = ({ id, method, error }, channel) => {
    if (method === 'prompts/get') {
      open.set(channel, id);
      channel.print({ id: 0, method: 'sampling/createMessage' });
    } else if (error !== undefined) channel.print({ id: open.get(channel), result: { error } });
  };
  const { send } = statelessRig(t, { play });
  t.like(resultOf(await send(first())), { resultType: 'complete', error: { code: -32601 } });
});

test('a state that is forged, somebody else’s, for another call, used or expired says which, and runs nothing', async (t) => {
  const clock = new FakeClock();
  const { send, pools } = statelessRig(t, { play: asksName, clock });
  const ask = async (): Promise<string> => {
    const reply = send(first());
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10);
    return resultOf(await reply).requestState;
  };
  const state = await ask();
  const before = sentMethods(pools).length;
  const reasonOf = async (message: ReturnType<typeof retry>, principal?: string) => {
    const { code, detail } = await failure(send(message, principal));
    t.is(code, 'request_state_refused');
    return detail.reason;
  };
  const [payload, mac] = state.split('.');
  for (const forged of [
    '',
    7,
    'x.y',
    `${payload}.`,
    `${payload}x.${mac}`,
    `${state}.z`,
    `${payload}.${mac}x`,
  ]) {
    t.is(await reasonOf(retry(forged)), 'forged');
  }
  t.is(await reasonOf(retry(state), 'mallory'), 'foreign');
  t.is(await reasonOf(retry(state, 'another prompt')), 'foreign');
  t.is(sentMethods(pools).length, before, 'nothing reached a process');
  t.is(resultOf(await send(retry(state))).resultType, 'complete');
  t.is(await reasonOf(retry(state)), 'expired', 'it was used');
  const late = await ask();
  clock.advance(TEN_MINUTES_MS);
  t.is(await reasonOf(retry(late)), 'expired');
});

test('a call whose client does not come back is cancelled, and its process ended', async (t) => {
  const clock = new FakeClock();
  const { send, pools } = statelessRig(t, { play: asksName, clock });
  const reply = send(first());
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10);
  t.is(resultOf(await reply).resultType, 'input_required');
  clock.advance(TEN_MINUTES_MS);
  t.is(sentMethods(pools).at(-1), 'notifications/cancelled');
  t.is(pools.released.at(-1)?.why, 'abandoned by its client');
});

test('the time a client takes to answer does not count as the silence of the server', async (t) => {
  const clock = new FakeClock();
  const { send } = statelessRig(t, { play: asksName, clock });
  const reply = send(first());
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10);
  const { requestState } = resultOf(await reply);
  clock.advance(5000); // callTimeoutMs is 1000
  t.is(resultOf(await send(retry(requestState))).resultType, 'complete');
});

test('a server that says nothing for callTimeoutMs ends the call, and is not used again', async (t) => {
  const clock = new FakeClock();
  const called = Promise.withResolvers<void>();
  const play: Play = ({ method }) => {
    if (method === 'prompts/get') called.resolve();
  };
  const { send, pools } = statelessRig(t, { play, clock });
  const call = failure(send(first()));
  await called.promise;
  clock.advance(1000);
  t.is((await call).code, 'call_timeout');
  t.is(pools.released.length, 1);
});

test('a call that may ask has its process to itself; the next one at the same time gets another', async (t) => {
  const { send, pools } = statelessRig(t, { play: asksName });
  const [a, b] = await Promise.all([send(first()), send(first())]);
  const serving = pools.opened.filter(({ channel }) =>
    channel.sent.some(({ method }) => method === 'prompts/get'),
  );
  t.is(serving.length, 2);
  for (const asked of [a, b]) {
    t.is(resultOf(await send(retry(resultOf(asked).requestState))).resultType, 'complete');
  }
});

test('under sharing principal a call that waits for its client leaves the one process to others', async (t) => {
  let asks = 0;
  const calls = new Map<unknown, unknown>();
  const play: Play = ({ id, method }, channel) => {
    if (method === 'prompts/get') {
      calls.set(++asks, id);
      channel.print({ id: asks, method: 'elicitation/create' });
    } else if (method === undefined) {
      const call = calls.get(id);
      channel.print({ method: 'notifications/message', params: { level: 'info', data: `for ${id}` } });
      channel.print({ id: call, result: { asked: id } });
    }
  };
  const { send, pools } = statelessRig(t, { spec: { sharing: 'principal' }, play });
  const call = (params: Loose) =>
    modernRequest(1, 'prompts/get', { name: 'greet', ...params }, { capabilities, logLevel: 'info' });
  const one = resultOf(await send(call({})));
  const two = resultOf(await send(call({})));
  for (const [number, { requestState }] of [
    [1, one],
    [2, two],
  ] as const) {
    const [log, answer] = await read(
      streamOf(await send(call({ requestState, inputResponses: { input_1: {} } }))),
    );
    t.deepEqual(
      [log.params.data, answer.result.asked],
      [`for ${number}`, number],
      'each its own, the older one too',
    );
  }
  t.is(pools.opened.length, 1);
});

test('what goes on after a question reports to the request that waits for it', async (t) => {
  const play: Play = ({ id, method, params }, channel) => {
    if (method === 'prompts/get') {
      open.set(channel, id);
      const { progressToken } = (params as Loose)._meta;
      tokens.set(channel, progressToken);
      channel.print({ id: 0, method: 'elicitation/create' });
    } else if (method === undefined) {
      const progressToken = tokens.get(channel);
      channel.print({ method: 'notifications/progress', params: { progressToken, progress: 2 } });
      channel.print({ id: open.get(channel), result: {} });
    }
  };
  const tokens = new Map<FakeChannel, unknown>();
  const { send } = statelessRig(t, { play });
  const ask = (token: string, params: Loose) =>
    modernRequest(
      3,
      'prompts/get',
      { name: 'greet', ...params },
      { capabilities, meta: { progressToken: token } },
    );
  const { requestState } = resultOf(await send(ask('one', {})));
  const reply = await send(ask('two', { requestState, inputResponses: { input_1: {} } }));
  t.is((await read(streamOf(reply)))[0].params.progressToken, 'two');
});

test('of the calls that one principal leaves waiting only so many are kept, the newest', async (t) => {
  const { send } = statelessRig(t, { spec: { sharing: 'principal' }, play: asksName });
  const states: unknown[] = [];
  for (let i = 0; i <= 64; i++) states.push(resultOf(await send(first())).requestState);
  t.is((await failure(send(retry(states[0])))).detail.reason, 'expired');
  t.is(resultOf(await send(retry(states[64]))).resultType, 'complete');
});
