import test from 'ava';
import { EventBudget } from '../../orchestrator/session/event-budget.ts';
import { MemoryEventLog } from '../../orchestrator/session/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function setUp() {
  const log = new MemoryEventLog({ clock: new FakeClock() });
  const budget = new EventBudget(log, { maxEvents: 3, maxBytes: 100, maxTotalBytes: 150 });
  const say = (stream: string, seq: number, bytes = 1): void =>
    budget.append(stream, { seq, message: 'x'.repeat(bytes) });
  const kept = async (stream: string): Promise<readonly number[]> =>
    (await budget.since(stream, 0)).map(({ seq }) => seq);
  return { budget, say, kept };
}

test('only the newest messages of a stream are kept', async (t) => {
  const { say, kept } = setUp();
  for (const seq of [1, 2, 3, 4, 5]) say('a', seq);
  t.deepEqual(await kept('a'), [3, 4, 5]);
});

test('a stream keeps only so many bytes, counted as UTF-8', async (t) => {
  const { budget, say, kept } = setUp();
  say('a', 1, 60);
  budget.append('a', { seq: 2, message: 'ä'.repeat(30) });
  t.deepEqual(await kept('a'), [2]);
});

test('a message over the limit is not kept, nor what came before it', async (t) => {
  const { say, kept } = setUp();
  say('a', 1);
  say('a', 2, 101);
  say('a', 3);
  t.deepEqual(await kept('a'), [3]);
});

test('over all streams the oldest stream goes first', async (t) => {
  const { say, kept } = setUp();
  say('a', 1, 60);
  say('b', 1, 60);
  say('c', 1, 60);
  t.deepEqual([await kept('a'), await kept('b'), await kept('c')], [[], [1], [1]]);
});

test('a dropped stream gives its bytes back', async (t) => {
  const { budget, say, kept } = setUp();
  say('a', 1, 60);
  say('b', 1, 60);
  budget.drop('a');
  say('c', 1, 60);
  t.deepEqual([await kept('a'), await kept('b'), await kept('c')], [[], [1], [1]]);
});
