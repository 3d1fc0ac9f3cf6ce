import test from 'ava';
import { type Fact, Facts, type GantryError } from '../../orchestrator/kernel/index.ts';
import type { Owner } from '../../orchestrator/routing/fair-queue.ts';
import { WaitingLine } from '../../orchestrator/routing/waiting-line.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

type Request = { readonly owner: Owner; readonly signal: AbortSignal | undefined };

const limits = { size: 3, timeoutMs: 1000 };

function setUp() {
  const clock = new FakeClock();
  const facts = new Facts();
  const stated: Fact[] = [];
  facts.listen((fact) => stated.push(fact));
  let free = 0;
  const line = new WaitingLine<Request, number>({
    server: 'echo',
    clock,
    facts,
    take: () => (free > 0 ? free-- : null),
  });
  const served: string[] = [];
  const enter = (principal: string, signal?: AbortSignal, by = limits): Promise<unknown> =>
    line
      .enter({ owner: { principal, session: null }, signal }, by)
      .then(() => served.push(principal))
      .catch((error: unknown) => error);
  const makeFree = (count: number): void => {
    free += count;
  };
  return { clock, line, enter, served, stated, free: makeFree };
}

test('whoever has waited too long is told so, with when to come back', async (t) => {
  const { clock, line, enter, stated } = setUp();
  const waiting = enter('alice');
  clock.advance(999);
  t.is(line.length, 1);
  clock.advance(1);
  t.is(line.length, 0);
  const error = (await waiting) as GantryError;
  t.is(error.code, 'no_replica');
  t.like(error.detail, { server: 'echo', retryAfterMs: 1000, mayHaveRun: false });
  t.deepEqual(stated, [
    { type: 'call.waiting', server: 'echo' },
    { type: 'call.refused', server: 'echo', why: 'queue_timeout' },
    { type: 'call.waited', server: 'echo', outcome: 'timed_out', waitMs: 1000 },
  ]);
  t.is(clock.waiting, 0, 'nobody waits, so nothing is looked at');
});

test('a full line refuses at once, with when to come back', async (t) => {
  const { line, enter, stated } = setUp();
  for (let number = 0; number < 3; number++) void enter('alice');
  const error = (await enter('alice')) as GantryError;
  t.is(error.code, 'queue_full');
  t.like(error.detail, { server: 'echo', queueSize: 3, retryAfterMs: 1000 });
  t.is(line.length, 3);
  t.like(stated.at(-1), { type: 'call.refused', why: 'queue_full' });
});

test('a line of no length refuses everybody', async (t) => {
  const { enter } = setUp();
  const error = (await enter('alice', undefined, { size: 0, timeoutMs: 1000 })) as GantryError;
  t.is(error.code, 'queue_full');
});

test('a withdrawn call leaves the line at once', async (t) => {
  const { clock, line, enter, stated } = setUp();
  const leaving = new AbortController();
  const waiting = enter('alice', leaving.signal);
  clock.advance(10);
  leaving.abort();
  t.is(line.length, 0);
  t.is(((await waiting) as GantryError).code, 'cancelled');
  t.deepEqual(stated.at(-1), { type: 'call.waited', server: 'echo', outcome: 'cancelled', waitMs: 10 });
  t.is(((await enter('alice', leaving.signal)) as GantryError).code, 'cancelled');
  t.is(clock.waiting, 0);
});

test('a flood of one caller does not keep others out of a full line, nor from their turn', async (t) => {
  const { line, enter, served, stated, free } = setUp();
  const flood = [enter('alice'), enter('alice'), enter('alice')];
  const bob = enter('bob');
  t.is(line.length, 3);
  t.is(((await flood[2]) as GantryError).code, 'queue_full', 'her last call gave way');
  t.like(stated.filter(({ type }) => type === 'call.waited')[0], { outcome: 'evicted' });
  free(2);
  line.serve();
  await bob;
  t.deepEqual(served, ['alice', 'bob'], 'he is served before her second');
  t.is(line.length, 1);
});

test('what becomes free without anybody saying so is found soon', async (t) => {
  const { clock, line, enter, served, free } = setUp();
  const waiting = [enter('alice'), enter('bob')];
  free(1);
  clock.advance(100);
  await waiting[0];
  t.deepEqual(served, ['alice']);
  free(1);
  clock.advance(100);
  await waiting[1];
  t.deepEqual(served, ['alice', 'bob']);
  t.is(line.length, 0);
  t.is(clock.waiting, 0);
});

test('a served call is not withdrawn or timed out afterwards', async (t) => {
  const { clock, line, enter, stated, free } = setUp();
  const leaving = new AbortController();
  const waiting = enter('alice', leaving.signal);
  free(1);
  line.serve();
  leaving.abort();
  clock.advance(5000);
  t.is(await waiting, 1);
  t.deepEqual(
    stated.map(({ type }) => type),
    ['call.waiting', 'call.waited'],
  );
});
