import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { failure } from '../failure.ts';
import { routingRig } from './rig.ts';

test('calls of one turn see each other: they are spread before any has been sent', async (t) => {
  const { router, picked } = await routingRig(4);
  await Promise.all(Array.from({ length: 8 }, () => router.lease('echo', 'alice')));
  t.deepEqual(picked().sort(), ['1', '1', '2', '2', '3', '3', '4', '4']);
});

test('least connections goes by the calls that are still open', async (t) => {
  const { router, picked } = await routingRig(3);
  const [first, second] = [await router.lease('echo', 'a'), await router.lease('echo', 'a')];
  await router.lease('echo', 'a');
  second?.done();
  second?.done();
  first?.done();
  const [, ...others] = [await router.lease('echo', 'a'), await router.lease('echo', 'a')];
  t.is(others.length, 1);
  t.deepEqual(picked(), ['1', '2', '3', '1', '2']);
});

test('a replica at its limit gets no more, and who waits is served when a call ends', async (t) => {
  const { router, picked, facts, clock } = await routingRig(2, { balance: { maxInFlight: 1 } });
  const first = await router.lease('echo', 'a');
  await router.lease('echo', 'a');
  const waiting = router.lease('echo', 'a');
  await setImmediate();
  t.is(router.queued('echo'), 1);
  clock.advance(50);
  first.done();
  t.is((await waiting).replica, first.replica);
  t.deepEqual(picked(), ['1', '2', '1']);
  t.deepEqual(facts('call.waited'), [{ type: 'call.waited', server: 'echo', outcome: 'served', waitMs: 50 }]);
  t.is(router.queued('echo'), 0);
});

test('nobody who comes later overtakes those who wait', async (t) => {
  const { router } = await routingRig(1, { balance: { maxInFlight: 1 } });
  const order: string[] = [];
  const lease = async (name: string) => {
    const got = await router.lease('echo', name);
    order.push(name);
    return got;
  };
  const first = await lease('first');
  const second = lease('second');
  first.done();
  const third = lease('third');
  (await second).done();
  (await third).done();
  t.deepEqual(order, ['first', 'second', 'third']);
});

test('a full queue is 429, a long wait and no replica at all are 503, each with when to come back', async (t) => {
  const { router, pools, clock, facts } = await routingRig(1, {
    balance: { maxInFlight: 1, queueSize: 1, queueTimeoutMs: 200 },
  });
  await router.lease('echo', 'a');
  const waiting = failure(router.lease('echo', 'a'));
  const full = await failure(router.lease('echo', 'a'));
  t.is(full.code, 'queue_full');
  clock.advance(200);
  const late = await waiting;
  t.is(late.code, 'no_replica');
  pools.pool = [];
  const none = await failure(router.lease('echo', 'a'));
  t.is(none.code, 'no_replica');
  for (const { detail } of [full, late, none]) t.like(detail, { retryAfterMs: 1000 });
  t.deepEqual(
    facts('call.refused').map((fact) => 'why' in fact && fact.why),
    ['queue_full', 'queue_timeout', 'no_replica'],
  );
});

test('a strategy changed at run time holds from the next call on', async (t) => {
  const { router, picked, configure } = await routingRig(4, { balance: { strategy: 'round_robin' } });
  for (let call = 0; call < 4; call++) (await router.lease('echo', 'alice')).done();
  t.deepEqual(picked(), ['1', '2', '3', '4']);
  configure({ balance: { strategy: 'consistent_hash' } });
  for (let call = 0; call < 4; call++) (await router.lease('echo', 'alice')).done();
  t.is(new Set(picked().slice(4)).size, 1);
  configure({ balance: { strategy: 'weighted', weights: { 2: 5 } } });
  for (let call = 0; call < 8; call++) (await router.lease('echo', 'alice')).done();
  t.is(
    picked()
      .slice(8)
      .filter((number) => number === '2').length,
    5,
  );
});

test('a limit raised at run time lets those who wait in', async (t) => {
  const { router, clock, configure } = await routingRig(1, { balance: { maxInFlight: 1 } });
  await router.lease('echo', 'a');
  const waiting = [router.lease('echo', 'a'), router.lease('echo', 'a')];
  configure({ balance: { maxInFlight: 3 } });
  clock.advance(100);
  t.is((await Promise.all(waiting)).length, 2);
});

test('a replica that becomes available serves those who wait', async (t) => {
  const { router, clock, pools } = await routingRig(2, { balance: { maxInFlight: 1 } });
  pools.pool[1]?.paused();
  await router.lease('echo', 'a');
  const waiting = router.lease('echo', 'a');
  clock.advance(100);
  t.is(router.queued('echo'), 1);
  pools.pool[1]?.resumed();
  clock.advance(100);
  t.is((await waiting).replica.identity.id, 'echo-2');
});

test('a replica that has come up serves those who wait as soon as it is told of', async (t) => {
  const { router, join } = await routingRig(1, { balance: { maxInFlight: 1 } });
  await router.lease('echo', 'a');
  const waiting = router.lease('echo', 'a');
  await join('echo-2');
  t.is(router.queued('echo'), 1);
  router.look('echo');
  t.is(router.queued('echo'), 0);
  t.is((await waiting).replica.identity.id, 'echo-2');
  router.look('nobody');
});

test('who comes when there is room again finds those who wait served first', async (t) => {
  const { router, pools } = await routingRig(2, { balance: { maxInFlight: 1 } });
  pools.pool[1]?.paused();
  await router.lease('echo', 'a');
  const waiting = router.lease('echo', 'a');
  pools.pool[1]?.resumed();
  void router.lease('echo', 'b').catch(() => {
    // It waits for longer than this test.
  });
  t.is((await waiting).replica.identity.id, 'echo-2');
  t.is(router.queued('echo'), 1);
});

test('a newcomer in a running pool gets one call at a time until it has warmed up', async (t) => {
  const { router, clock, join, picked } = await routingRig(1);
  await router.lease('echo', 'a');
  clock.advance(60_000);
  await join('echo-2');
  for (let call = 0; call < 9; call++) await router.lease('echo', 'a');
  t.is(picked().filter((number) => number === '2').length, 1, 'one, while the other has nine');
  clock.advance(30_000);
  for (let call = 0; call < 8; call++) await router.lease('echo', 'a');
  t.is(picked().filter((number) => number === '2').length, 9, 'half of all, as soon as the time is over');
});

test('consistent hash keeps a principal on its replica, and on another one only while that has no room', async (t) => {
  const { router, picked } = await routingRig(4, {
    balance: { strategy: 'consistent_hash', maxInFlight: 1 },
  });
  const first = await router.lease('echo', 'alice');
  const second = await router.lease('echo', 'alice');
  t.not(second.replica, first.replica);
  first.done();
  t.is((await router.lease('echo', 'alice')).replica, first.replica);
  t.is(new Set(picked()).size, 2);
});

test('peak ewma leaves a slow replica with less than the others', async (t) => {
  const { router, clock, picked } = await routingRig(2, { balance: { strategy: 'peak_ewma' } });
  for (let call = 0; call < 40; call++) {
    const lease = await router.lease('echo', 'a');
    clock.advance(lease.replica.identity.id === 'echo-1' ? 200 : 20);
    lease.done(true);
  }
  t.true(picked().filter((number) => number === '1').length <= 3, picked().join(''));
});

test('whatever comes and goes, no replica ever has more than its limit and nobody waits while there is room', async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('lease' as const), who: fc.constantFrom('alice', 'bob', 'carol') }),
    fc.record({ kind: fc.constant('done' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('pause' as const), which: fc.nat() }),
  );
  const strategy = fc.constantFrom(
    'least_connections' as const,
    'peak_ewma' as const,
    'round_robin' as const,
    'random' as const,
    'consistent_hash' as const,
  );
  const sizes = [fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })] as const;
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        strategy,
        ...sizes,
        async (steps, name, count, most) => {
          const { router, pools, clock } = await routingRig(count, {
            balance: { strategy: name, maxInFlight: most, queueSize: 10, queueTimeoutMs: 1_000_000 },
          });
          const open = new Set<Awaited<ReturnType<typeof router.lease>>>();
          const waiting = new Set<AbortController>();
          const nth = <T>(of: Iterable<T>, which: number): T | undefined => {
            const all = [...of];
            return all[which % Math.max(1, all.length)];
          };
          for (const one of steps) {
            if (one.kind === 'lease') {
              const leaving = new AbortController();
              waiting.add(leaving);
              void router
                .lease('echo', one.who, { signal: leaving.signal })
                .then((lease) => open.add(lease))
                .catch(() => {
                  // Refused or withdrawn: both may happen here.
                })
                .finally(() => waiting.delete(leaving));
            } else if (one.kind === 'done') {
              const lease = nth(open, one.which);
              lease?.done(true);
              if (lease !== undefined) open.delete(lease);
            } else if (one.kind === 'cancel') {
              nth(waiting, one.which)?.abort();
            } else {
              const replica = nth(pools.pool, one.which);
              if (replica?.state.name === 'ready') replica.paused();
              else replica?.resumed();
            }
            clock.advance(100);
            await setImmediate();
            const leases = (id: string) =>
              [...open].filter(({ replica }) => replica.identity.id === id).length;
            const rooms = pools.pool.map(({ identity, available }) => ({
              available,
              has: leases(identity.id),
            }));
            if (rooms.some(({ has }) => has > most)) return false;
            if (router.queued('echo') > 0 && rooms.some(({ available, has }) => available && has < most))
              return false;
          }
          return true;
        },
      ),
      { numRuns: 60 },
    ),
  );
});
