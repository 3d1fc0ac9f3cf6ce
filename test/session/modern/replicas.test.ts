import test from 'ava';
import { GantryError } from '../../../orchestrator/kernel/index.ts';
import { type Want, WarmReplicas } from '../../../orchestrator/session/modern/replicas.ts';
import { failure } from '../../failure.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../../fakes/fake-pools.ts';
import { NEVER } from './rig.ts';

function setUp(maxSessions = 3) {
  const pools = new FakePools({ ...TEST_SPEC, maxSessions });
  const clock = new FakeClock();
  const warm = new WarmReplicas(clock);
  const want = (use: Want['use'], extra: Partial<Want> = {}): Want => ({
    spec: TEST_SPEC,
    key: 'alice',
    use,
    max: 3,
    signal: NEVER,
    open: async () => {
      const replica = await pools.openForSession('echo');
      await replica.greet(1000);
      return { replica, end: (why) => void pools.release(replica, why) };
    },
    ...extra,
  });
  return { pools, clock, warm, want };
}

test('one call after the other meets the same process; two exclusive ones at once do not', async (t) => {
  const { warm, want, pools } = setUp();
  const first = await warm.lease(want('exclusive'));
  const second = await warm.lease(want('exclusive'));
  t.not(first.replica, second.replica);
  second.release();
  first.release();
  t.is((await warm.lease(want('exclusive'))).replica, first.replica);
  t.is(pools.opened.length, 2);
});

test('calls that share use one process, a listener disturbs nobody, and other keys never meet', async (t) => {
  const { warm, want, pools } = setUp();
  const [a, b] = await Promise.all([warm.lease(want('together')), warm.lease(want('together'))]);
  t.is(a.replica, b.replica);
  const listener = await warm.lease(want('listen'));
  t.is(listener.replica, a.replica);
  a.release();
  b.release();
  t.is((await warm.lease(want('exclusive'))).replica, a.replica);
  t.not((await warm.lease(want('together', { key: 'bob' }))).replica, a.replica);
  t.is(pools.opened.length, 2);
});

test('a key that has all it may have makes the next one wait for its turn', async (t) => {
  const { warm, want, pools } = setUp();
  const first = await warm.lease(want('exclusive', { max: 1 }));
  const waiting = warm.lease(want('exclusive', { max: 1 }));
  first.release();
  t.is((await waiting).replica, first.replica);
  t.is(pools.opened.length, 1);
});

test('waiting ends with a hint when it takes too long, and at once when the caller leaves', async (t) => {
  const { warm, want, clock } = setUp();
  await warm.lease(want('exclusive', { max: 1 }));
  const gone = new AbortController();
  const left = failure(warm.lease(want('exclusive', { max: 1, signal: gone.signal })));
  gone.abort();
  t.is((await left).code, 'cancelled');
  const tooLong = failure(warm.lease(want('exclusive', { max: 1 })));
  for (let waitedMs = 0; waitedMs <= TEST_SPEC.timeouts.callTimeoutMs; waitedMs += 250) {
    clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.like(await tooLong, { code: 'no_replica', detail: { retryAfterMs: 1000 } });
});

test('an idle process ends after sessionIdleMs, a spare one sooner, a busy one never', async (t) => {
  const { warm, want, clock, pools } = setUp();
  const spec = { ...TEST_SPEC, timeouts: { ...TEST_SPEC.timeouts, sessionIdleMs: 600_000 } };
  const [kept, spare, busy] = [
    await warm.lease(want('exclusive', { spec })),
    await warm.lease(want('exclusive', { spec })),
    await warm.lease(want('exclusive', { spec, key: 'bob' })),
  ];
  spare.release();
  clock.advance(30_000);
  kept.release();
  t.deepEqual(pools.released, [{ id: spare.replica.identity.id, why: 'idle' }]);
  clock.advance(600_000);
  t.deepEqual(
    pools.released.map(({ id }) => id),
    [spare, kept].map(({ replica }) => replica.identity.id),
  );
  t.true(busy.replica.available);
});

test('where there is no room an idle process of other calls of the server gives way', async (t) => {
  const { warm, want, pools, clock } = setUp();
  const idle = await warm.lease(want('exclusive', { key: 'bob' }));
  idle.release();
  for (const key of ['a', 'b']) await warm.lease(want('exclusive', { key }));
  const lease = warm.lease(want('exclusive', { key: 'c' }));
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(250);
  t.true((await lease).replica.available);
  t.deepEqual(pools.released, [{ id: idle.replica.identity.id, why: 'room was needed' }]);
  const error = await t.throwsAsync(warm.lease(want('exclusive', { key: 'd' })), { instanceOf: GantryError });
  t.is((error as GantryError).code, 'no_replica');
});

test('what was discarded or has died is not given out again', async (t) => {
  const { warm, want, pools } = setUp();
  const first = await warm.lease(want('exclusive'));
  first.discard('frozen');
  t.deepEqual(pools.released, [{ id: first.replica.identity.id, why: 'frozen' }]);
  const second = await warm.lease(want('exclusive'));
  second.release();
  second.replica.stopped();
  await second.replica.over;
  const third = await warm.lease(want('exclusive'));
  t.is(new Set([first.replica, second.replica, third.replica]).size, 3);
});

test('a process that was replaced finishes what is on it and is asked for nothing more', async (t) => {
  const { warm, want, pools } = setUp(9);
  const idle = await warm.lease(want('together', { key: 'bob' }));
  idle.release();
  const busy = await warm.lease(want('together', { max: 1 }));
  const waiting = await warm.lease(want('exclusive', { key: 'carol' }));
  const call = waiting.replica.call('stay/silent', undefined, {
    callTimeoutMs: 60_000,
    maxCallMs: 60_000,
  });
  call.catch(() => {});
  t.teardown(() => waiting.replica.stopped());
  waiting.pause();
  for (const { replica } of [idle, busy, waiting]) replica.fenced = true;
  const next = await warm.lease(want('together', { max: 1 }));
  t.not(next.replica, busy.replica, 'the limit counts those that can be used');
  t.deepEqual(pools.released, [{ id: idle.replica.identity.id, why: 'server changed' }]);
  busy.release();
  t.is(pools.released.length, 2);
  t.true(
    pools.released.every(({ id }) => id !== waiting.replica.identity.id),
    'its call is still open',
  );
});
