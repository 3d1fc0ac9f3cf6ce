import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import type { ServerMessage } from '../../orchestrator/replica/index.ts';
import { failure } from '../failure.ts';
import { answers, dies, type Play, routingRig } from './rig.ts';

/** The first process that hears of a call dies of it, the others answer. */
function firstDies(): Play {
  let calls = 0;
  return (message, channel, replica) => {
    if (message.id === undefined) return;
    if (calls++ === 0) dies(replica);
    else answers(message, channel, { by: replica.identity.id });
  };
}

const SAFE = [
  { name: 'safe', annotations: { idempotentHint: true } },
  { name: 'unsafe', annotations: { idempotentHint: false } },
];

test('a call that only reads is answered by another replica when its own dies', async (t) => {
  const { call, picked, facts } = await routingRig(2, {}, firstDies());
  t.like(await call('resources/read', { uri: 'a:b' }), { ok: true, result: { by: 'echo-2' } });
  t.deepEqual(picked(), ['1', '2']);
  t.deepEqual(facts('call.retried'), [
    { type: 'call.retried', server: 'echo', method: 'resources/read', why: 'read_only' },
  ]);
});

test('a tool that is marked is called again, one that is not is never sent twice', async (t) => {
  const marked = await routingRig(2, {}, firstDies());
  marked.pools.toolList = SAFE;
  t.like(await marked.call('tools/call', { name: 'safe' }), { ok: true });
  t.like(marked.facts('call.retried')[0], { why: 'idempotent' });

  const unmarked = await routingRig(2, {}, firstDies());
  unmarked.pools.toolList = SAFE;
  const error = await failure(unmarked.call('tools/call', { name: 'unsafe' }));
  t.is(error.code, 'replica_failed');
  t.like(error.detail, { mayHaveRun: true, exitCode: 137, replica: 'echo-1' });
  t.deepEqual(unmarked.picked(), ['1']);
  t.like(unmarked.facts('call.not_retried')[0], { why: 'may_have_run' });
  const sent = unmarked.pools.opened.flatMap(({ channel }) => channel.sent);
  t.is(sent.filter(({ method }) => method === 'tools/call').length, 1);
});

test('a call that could not be sent goes elsewhere, whatever it does and whatever the strategy says', async (t) => {
  const { call, pools, picked } = await routingRig(
    2,
    { balance: { strategy: 'consistent_hash' } },
    (message, channel) => {
      if (message.id !== undefined) answers(message, channel);
    },
  );
  await call('ping');
  const [home] = picked();
  const replica = pools.pool.find(({ identity }) => identity.id === `echo-${home}`);
  // It goes between the pick and the send: what a race with a drain looks like.
  Object.defineProperty(replica, 'available', { get: () => true });
  replica?.stopped();
  await setImmediate();
  t.like(await call('tools/call', { name: 'unsafe' }), { ok: true });
  t.deepEqual(picked(), [home, home, home === '1' ? '2' : '1']);
});

test('an error of the server is an answer, and a timeout has used up the time: neither is tried again', async (t) => {
  const { call, clock, picked, facts } = await routingRig(2, {}, (message, channel) => {
    if (message.method === 'ping') channel.print({ id: message.id, error: { code: -32000, message: 'no' } });
  });
  t.like(await call('ping'), { ok: false, error: { code: -32000 } });
  const silent = failure(call('prompts/list'));
  await setImmediate();
  clock.advance(1000);
  t.is((await silent).code, 'call_timeout');
  t.is(picked().length, 2);
  t.deepEqual([facts('call.retried'), facts('call.not_retried')], [[], []]);
});

test('a call is tried as often as attempts says, and then told how often that was', async (t) => {
  const play: Play = (_message, _channel, replica) => dies(replica);
  const { call, picked, facts } = await routingRig(5, { retries: { attempts: 3 } }, play);
  const error = await failure(call('ping'));
  t.is(error.code, 'replica_failed');
  t.like(error.detail, { attempts: 3, replica: 'echo-3' });
  t.is(picked().length, 3);
  t.like(facts('call.not_retried')[0], { why: 'attempts' });
  const never = await routingRig(2, { retries: { attempts: 1 } }, play);
  t.is((await failure(never.call('ping'))).detail.attempts, undefined);
  t.is(never.picked().length, 1);
});

test('second tries of a server stay within its budget', async (t) => {
  const play: Play = (_message, _channel, replica) => dies(replica);
  const { call, facts, join } = await routingRig(
    2,
    { retries: { budgetPercent: 50, minPerSecond: 0 } },
    play,
  );
  for (let number = 3; number <= 12; number++) await join(`echo-${number}`);
  for (let calls = 0; calls < 6; calls++) await failure(call('ping'));
  t.is(facts('call.retried').length, 3, 'half of the calls');
  t.deepEqual(
    facts('call.not_retried').map((fact) => 'why' in fact && fact.why),
    ['budget', 'attempts', 'budget', 'attempts', 'budget', 'attempts'],
  );
});

test('where no replica is left the second try waits for a new one', async (t) => {
  const { call, clock, join, router } = await routingRig(1, {}, firstDies());
  const calling = call('ping');
  while (router.queued('echo') === 0) await setImmediate();
  await join('echo-1');
  clock.advance(100);
  t.like(await calling, { ok: true, result: { by: 'echo-1' } });
});

test('where none comes the call ends as it failed, not with the wait', async (t) => {
  const { call, clock, router } = await routingRig(1, {}, firstDies());
  const calling = failure(call('ping'));
  while (router.queued('echo') === 0) await setImmediate();
  clock.advance(10_000);
  const error = await calling;
  t.is(error.code, 'replica_failed');
  t.like(error.detail, { mayHaveRun: true, exitCode: 137 });
});

test('progress never goes back, also where a second try begins it again', async (t) => {
  const told: unknown[] = [];
  let tries = 0;
  const play: Play = ({ id, params }, channel, replica) => {
    if (id === undefined) return;
    const { progressToken } = (params?._meta ?? {}) as { progressToken?: unknown };
    const isFirst = tries++ === 0;
    for (const progress of isFirst ? [1, 2, 3] : [1, 2, 3, 4]) {
      channel.print({ method: 'notifications/progress', params: { progressToken, progress } });
    }
    if (isFirst) dies(replica);
    else answers({ id }, channel);
  };
  const { router } = await routingRig(2, {}, play);
  const onMessage = ({ params }: ServerMessage): void => void told.push(params?.progress);
  const params = { _meta: { progressToken: 'mine' } };
  t.like(await router.call('echo', 'alice', { method: 'ping', params }, { onMessage }), { ok: true });
  t.deepEqual(told, [1, 2, 3, 4]);
});

test('a call that was withdrawn while it waited for its second try is cancelled, and sent no more', async (t) => {
  const { router, picked } = await routingRig(1, {}, firstDies());
  const leaving = new AbortController();
  const request = { method: 'ping', params: undefined };
  const calling = failure(router.call('echo', 'alice', request, { signal: leaving.signal }));
  while (router.queued('echo') === 0) await setImmediate();
  leaving.abort();
  t.is((await calling).code, 'cancelled');
  t.is(picked().length, 1);
  t.is(router.queued('echo'), 0);
});

test('calls of a principal’s own process are never moved', async (t) => {
  const { call, picked, facts, pools } = await routingRig(0, { sharing: 'principal' });
  pools.play = (channel) => {
    channel.onSent = ({ id, method }) => {
      if (method === 'initialize') channel.print({ id, result: {} });
      if (method === 'ping') pools.opened.forEach(({ replica }) => void dies(replica));
    };
  };
  t.is((await failure(call('ping'))).code, 'replica_failed');
  t.is(pools.opened.length, 1);
  t.deepEqual(picked(), []);
  t.deepEqual(facts('call.retried'), []);
});

test('under sharing call the calls beyond maxSessions wait until a process is gone', async (t) => {
  const { router, pools, facts } = await routingRig(0, { sharing: 'call', maxSessions: 2 });
  const [first] = [await router.lease('echo', 'a'), await router.lease('echo', 'a')];
  const waiting = router.lease('echo', 'a');
  await setImmediate();
  t.is(router.queued('echo'), 1);
  first?.done();
  t.not((await waiting).replica, first?.replica);
  t.deepEqual([pools.opened.length, pools.released.length], [3, 1]);
  t.is(facts('call.waited').length, 1);
});

test('whatever dies, a call that may not run twice reaches a process once at most, and every call ends', async (t) => {
  const outcome = fc.constantFrom('answers' as const, 'dies' as const);
  const kind = fc.constantFrom('safe', 'unsafe', 'unknown');
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.array(kind, { minLength: 1, maxLength: 12 }),
        fc.array(outcome),
        async (names, script) => {
          let next = 0;
          const runs: string[] = [];
          const play: Play = (message, channel, replica) => {
            if (message.id === undefined) return;
            runs.push(String(((message.params?.arguments ?? {}) as { run?: unknown }).run));
            if (script[next++] === 'dies') dies(replica);
            else answers(message, channel);
          };
          const { call, pools, join } = await routingRig(3, { retries: { attempts: 3 } }, play);
          pools.toolList = SAFE;
          for (const [run, name] of names.entries()) {
            const error = await call('tools/call', { name, arguments: { run } }).then(
              () => null,
              (thrown: unknown) => thrown,
            );
            const times = runs.filter((one) => one === String(run)).length;
            if (times < 1 || times > (name === 'safe' ? 3 : 1)) return false;
            if (error !== null && name === 'safe' && times !== 3) return false;
            pools.pool = pools.pool.filter(({ available }) => available);
            while (pools.pool.length < 3) await join(`echo-${pools.opened.length + 1}`);
          }
          return true;
        },
      ),
      { numRuns: 40 },
    ),
  );
});
