import test from 'ava';
import fc from 'fast-check';
import { type Loose, overModernRig, type Play } from './rig.ts';

const NAME = { method: 'elicitation/create', params: { message: 'Name?' } };
const ROOTS = { method: 'roots/list' };
const SAMPLE = { method: 'sampling/createMessage', params: { maxTokens: 1 } };
const ALL = { elicitation: {}, roots: {}, sampling: {} };

function wanting(inputRequests: object, requestState?: unknown): object {
  const state = requestState === undefined ? {} : { requestState };
  return { resultType: 'input_required', inputRequests, ...state };
}

/** A server that asks as told, and in the end shows all that it was given, round by round. */
function asking(...rounds: object[]): Play {
  const given: Loose[] = [];
  return ({ id, method, params }, channel) => {
    if (method !== 'tools/call') return;
    const { inputResponses = null, requestState = null, name } = params;
    given.push({ inputResponses, requestState, name });
    channel.print({ id, result: rounds[given.length - 1] ?? { resultType: 'complete', given } });
  };
}

test('questions become requests to the client, and its answers go back with the state of the server, round by round', async (t) => {
  const play = asking(
    wanting({ a: NAME }, 'one'),
    wanting({ b: ROOTS, c: SAMPLE }, 'two'),
    wanting({}, 'three'),
  );
  const { client } = overModernRig(t, { play });
  await client.initialize({ capabilities: ALL });
  const asked: Loose[] = [];
  const { result } = await client.call('tools/call', { name: 'tool' }, ({ id, method, params }) => {
    if (method === undefined) return;
    asked.push({ method, params });
    void client.answer(id, { result: { answerTo: method } });
  });
  t.deepEqual(asked, [NAME, { ...ROOTS, params: {} }, SAMPLE]);
  const name = 'tool';
  t.deepEqual(result.given, [
    { inputResponses: null, requestState: null, name },
    { inputResponses: { a: { answerTo: NAME.method } }, requestState: 'one', name },
    {
      inputResponses: { b: { answerTo: ROOTS.method }, c: { answerTo: SAMPLE.method } },
      requestState: 'two',
      name,
    },
    { inputResponses: {}, requestState: 'three', name },
  ]);
});

test('property: in any order of answers and calls, each answer reaches the question of its own call', async (t) => {
  const orders = fc.array(fc.nat(99), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(orders, async (picks) => {
      const play: Play = ({ id, method, params }, channel) => {
        if (method !== 'tools/call') return;
        const { name, inputResponses } = params;
        const state = { requestState: name };
        channel.print({
          id,
          result: inputResponses ? { name, inputResponses, ...state } : wanting({ q: NAME }, name),
        });
      };
      const { client, sessions } = overModernRig(t, { play });
      await client.initialize({ capabilities: ALL });
      const open: { id: string; call: number }[] = [];
      const calls = picks.map((_pick, call) =>
        client.call('tools/call', { name: `call ${call}` }, ({ id, method }) => {
          if (method !== undefined) open.push({ id, call });
        }),
      );
      while (open.length < picks.length) await new Promise((resolve) => setImmediate(resolve));
      for (const pick of picks) {
        const [question] = open.splice(pick % open.length, 1);
        await client.answer(question?.id ?? '', { result: { for: question?.call } });
      }
      for (const [call, answer] of (await Promise.all(calls)).entries()) {
        t.is(answer.result.name, `call ${call}`);
        t.deepEqual(answer.result.inputResponses, { q: { for: call } });
      }
      sessions.close();
    }),
    { numRuns: 30 },
  );
});

test('a client that answers with an error ends its call with it: the server cannot be told of one', async (t) => {
  const { client } = overModernRig(t, { play: asking(wanting({ a: NAME, b: ROOTS })) });
  await client.initialize({ capabilities: ALL });
  const seen: Loose[] = [];
  const { error } = await client.call('tools/call', {}, (message) => {
    seen.push(message);
    if (message.method === 'roots/list')
      void client.answer(message.id, { error: { code: -1, message: 'no disk' } });
  });
  t.like(error, { code: -32603, data: { code: -1 } });
  t.regex(error.message, /roots\/list with an error: no disk/);
  const withdrawn = seen.find(({ method }) => method === 'notifications/cancelled');
  t.is(withdrawn?.params.requestId, seen.find(({ method }) => method === NAME.method)?.id);
});

test('a client is not asked for what it did not offer, nor for what is no question', async (t) => {
  for (const request of [ROOTS, { method: 'tools/list' }, 'nonsense', null]) {
    const { client } = overModernRig(t, { play: asking(wanting({ a: NAME, b: request })) });
    await client.initialize({ capabilities: { elicitation: {} } });
    const { error } = await client.call('tools/call', {});
    t.regex(error.message, /which this client does not offer/);
  }
});

test('a server that asks without end is cut off', async (t) => {
  let calls = 0;
  const play: Play = ({ id, method }, channel) => {
    if (method !== 'tools/call') return;
    calls++;
    channel.print({ id, result: wanting({}, 'again') });
  };
  const { client } = overModernRig(t, { play });
  await client.initialize();
  t.regex((await client.call('tools/call')).error.message, /64 times/);
  t.is(calls, 64);
});

test('a call that waits for its client is withdrawn by it, and its question with it', async (t) => {
  const { client } = overModernRig(t, { play: asking(wanting({ a: NAME })) });
  await client.initialize({ capabilities: ALL });
  const seen: Loose[] = [];
  await client.call('tools/call', {}, (message) => {
    seen.push(message);
    if (message.method === NAME.method) void client.cancel(2);
  });
  t.deepEqual(
    seen.map(({ method }) => method),
    [NAME.method, 'notifications/cancelled'],
  );
  t.is(seen[1].params.requestId, seen[0].id);
});

test('a client that never answers ends its call after maxCallMs, not after callTimeoutMs', async (t) => {
  const { client, clock } = overModernRig(t, { play: asking(wanting({ a: NAME })) });
  await client.initialize({ capabilities: ALL });
  const asked = Promise.withResolvers<void>();
  const answer = client.call('tools/call', {}, ({ method }) => {
    if (method === NAME.method) asked.resolve();
  });
  await asked.promise;
  clock.advance(5000); // five times callTimeoutMs
  clock.advance(5000); // maxCallMs
  t.is((await answer).error.code, 'call_timeout');
});

test('a result of a kind that sessions do not know is an error', async (t) => {
  const { client } = overModernRig(t, { play: asking({ resultType: 'task', task: {} }) });
  await client.initialize();
  t.regex((await client.call('tools/call')).error.message, /a result of the kind "task"/);
});
