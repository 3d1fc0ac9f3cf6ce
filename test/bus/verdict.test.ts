import test from 'ava';
import { backoffMs } from '../../orchestrator/bus/backoff.ts';
import { Batch } from '../../orchestrator/bus/batch.ts';
import { Lanes } from '../../orchestrator/bus/lanes.ts';
import { UNREACHABLE_AFTER_MS, verdictOn } from '../../orchestrator/bus/verdict.ts';
import { type ErrorCode, GantryError } from '../../orchestrator/kernel/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const counts = { attempts: 1, maxAttempts: 2, dueAt: 0 };

function shown(error: unknown, wasStarted: boolean, mayRunTwice: boolean, more = {}, now = 1): string {
  const verdict = verdictOn({ error, wasStarted, mayRunTwice }, { ...counts, ...more }, now);
  return [
    verdict.kind,
    'reason' in verdict ? verdict.reason : '',
    'refused' in verdict ? verdict.refused : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function failure(code: ErrorCode, mayHaveRun?: boolean): GantryError {
  return new GantryError(code, code, { detail: mayHaveRun === undefined ? {} : { mayHaveRun } });
}

test('the verdict on a failure, by what is known of it', (t) => {
  const died = failure('replica_failed', true);
  t.is(shown(failure('mcp_error'), true, true), 'failed');
  t.is(shown(failure('no_replica'), false, false), 'retry true');
  t.is(shown(failure('queue_full'), false, false), 'retry true');
  t.is(shown(failure('registry_unavailable'), false, false), 'retry true');
  t.is(shown(failure('replica_failed', false), true, false), 'retry true', 'no byte of it was written');
  t.is(shown(died, true, true), 'retry false');
  t.is(shown(died, true, false), 'dead may_have_run');
  t.is(shown(died, true, true, { attempts: 2 }), 'dead attempts');
  t.is(shown(failure('call_timeout', true), true, false), 'dead may_have_run');
  t.is(shown(failure('cancelled'), true, false), 'dead may_have_run', 'nobody knows better');
  t.is(shown(new TypeError('a fault of ours'), true, false), 'dead may_have_run');
  t.is(shown(new TypeError('a fault of ours'), false, false), 'retry true');
  t.is(shown(failure('no_replica'), false, false, {}, UNREACHABLE_AFTER_MS), 'dead unreachable');
});

test('pauses double up to a limit, and are spread over their upper half', (t) => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 40].map((tries) => backoffMs(tries, () => 1));
  t.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  t.is(
    backoffMs(3, () => 0),
    1000,
  );
});

test('what is asked at the same time is sent together, what comes meanwhile with the next', async (t) => {
  const sent: number[][] = [];
  const go = Promise.withResolvers<void>();
  const batch = new Batch<number, number>(3, async (items) => {
    sent.push([...items]);
    if (sent.length === 1) await go.promise;
    if (items.includes(13)) throw new Error('unlucky');
    return items.map((item) => item * 2);
  });
  const first = batch.add(1);
  await new Promise((resolve) => setImmediate(resolve));
  const later = [2, 3, 4, 13].map((item) => batch.add(item).catch((error) => error.message));
  go.resolve();
  t.is(await first, 2);
  t.deepEqual(await Promise.all(later), [4, 6, 8, 'unlucky']);
  t.deepEqual(sent, [[1], [2, 3, 4], [13]]);
  t.is(await batch.add(5), 10, 'a failure ends nothing');
});

test('a server that takes no task is left alone for a moment, longer each time, until it takes one', (t) => {
  const clock = new FakeClock();
  const lanes = new Lanes(64, clock, () => 1);
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const from = clock.now();
    lanes.refused('a');
    lanes.refused('a'); // many at the same time are one refusal
    while (lanes.busy([]).get('a') === 64) clock.advance(100);
    pauses.push(clock.now() - from);
  }
  t.deepEqual(pauses, [500, 1000, 2000, 2000]);
  lanes.refused('a');
  lanes.served('a');
  t.is(lanes.busy([]).get('a'), undefined);
});
