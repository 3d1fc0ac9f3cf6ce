import test from 'ava';
import type { BreakerPolicy, TripCause } from '../../orchestrator/kernel/index.ts';
import { Breaker } from '../../orchestrator/resilience/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const POLICY: BreakerPolicy = {
  consecutiveFailures: 5,
  failurePercent: 50,
  minCalls: 20,
  windowMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 300_000,
};

/** A breaker with scripted outcomes: `+` an answer, `-` a failure. */
function rig(over: Partial<BreakerPolicy> = {}, mayOpen?: (cause: TripCause) => boolean, random = () => 0) {
  const clock = new FakeClock();
  let policy = { ...POLICY, ...over };
  const told: (string | null)[][] = [];
  const options = { policy: () => policy, clock, random, ...(mayOpen === undefined ? {} : { mayOpen }) };
  const breaker = new Breaker(options);
  breaker.watch((state, cause) => told.push([state, cause]));
  const play = (script: string): void => {
    for (const outcome of script) breaker.record(outcome === '+' ? 'success' : 'failure');
  };
  const change = (next: Partial<BreakerPolicy>): void => {
    policy = { ...policy, ...next };
  };
  return { breaker, clock, told, play, change };
}

test('the fifth failure in a row opens it, the fourth does not', (t) => {
  const { breaker, told, play } = rig();
  play('----');
  t.is(breaker.state, 'closed');
  play('-');
  t.is(breaker.state, 'open');
  t.deepEqual(told, [['open', 'consecutive']]);
});

test('an answer in between starts the row anew', (t) => {
  const { breaker, play } = rig();
  play('----+----');
  t.is(breaker.state, 'closed');
});

test('half of twenty calls opens it, half of nineteen does not, and fewer than half do not', (t) => {
  const half = rig();
  half.play('+-'.repeat(9));
  half.play('+');
  t.is(half.breaker.state, 'closed', '9 of 19');
  half.play('-');
  t.deepEqual(half.told, [['open', 'ratio']], '10 of 20');

  const fewer = rig();
  fewer.play(`${'+-'.repeat(9)}++`);
  fewer.play('+-'.repeat(20));
  t.is(fewer.breaker.state, 'closed', '29 of 60');
});

test('what is older than the window does not count towards the share', (t) => {
  const { breaker, clock, play } = rig();
  play('-+'.repeat(15).slice(0, 18));
  clock.advance(10_000);
  play('+-');
  t.is(breaker.state, 'closed', '10 of 20, but only 1 of 2 within the window');
  play('+-'.repeat(9));
  t.is(breaker.state, 'open', '10 of 20 within the window');
});

test('while it is open nothing is counted', (t) => {
  const { breaker, told, play } = rig();
  play('-----');
  play('----------++++++++');
  t.is(breaker.state, 'open');
  t.is(told.length, 1);
});

test('a replacement that answers closes it, and counts from nothing', (t) => {
  const { breaker, told, play } = rig();
  play('-----');
  breaker.tryAgain();
  t.is(breaker.state, 'half_open');
  play('+');
  t.is(breaker.state, 'closed');
  play('----');
  t.is(breaker.state, 'closed');
  t.deepEqual(told, [
    ['open', 'consecutive'],
    ['half_open', null],
    ['closed', null],
  ]);
});

test('a replacement that does not answer opens it again, for its probe', (t) => {
  const { breaker, told, play } = rig();
  play('-----');
  breaker.tryAgain();
  play('-');
  t.is(breaker.state, 'open');
  t.deepEqual(told.at(-1), ['open', 'probe']);
});

test('a process that is over opens it at once, and again while a replacement is tried', (t) => {
  const { breaker, told } = rig({}, () => false);
  t.true(breaker.trip('dead'));
  t.true(breaker.trip('dead'), 'open it is');
  breaker.tryAgain();
  t.true(breaker.trip('dead'));
  t.deepEqual(
    told.map(([state]) => state),
    ['open', 'half_open', 'open'],
  );
});

test('where too much of the pool is out it stays closed, and opens with the next failure once it may', (t) => {
  let isAllowed = false;
  const asked: TripCause[] = [];
  const { breaker, play } = rig({}, (cause) => {
    asked.push(cause);
    return isAllowed;
  });
  play('------');
  t.false(breaker.trip('unresponsive'));
  t.is(breaker.state, 'closed');
  t.deepEqual(asked, ['consecutive', 'consecutive', 'unresponsive']);
  isAllowed = true;
  play('-');
  t.is(breaker.state, 'open');
});

test('the wait grows with each opening in a row up to its ceiling, and starts anew once it was closed', (t) => {
  const { breaker } = rig({ maxEjectMs: 70_000 });
  const waits = [1, 2, 3].map(() => {
    breaker.trip('dead');
    const waitMs = breaker.retryInMs;
    breaker.tryAgain();
    return waitMs;
  });
  t.deepEqual(waits, [30_000, 60_000, 70_000]);
  breaker.record('success');
  breaker.trip('dead');
  t.is(breaker.retryInMs, 30_000);
});

test('the wait is spread by at most a fifth', (t) => {
  const { breaker, clock } = rig({}, undefined, () => 0.999_999);
  breaker.trip('dead');
  t.is(breaker.retryInMs, 24_000);
  clock.advance(23_999);
  t.is(breaker.retryInMs, 1);
  clock.advance(1_000_000);
  t.is(breaker.retryInMs, 0);
});

test('thresholds that change while it lives hold at once, for what was counted before too', (t) => {
  const { breaker, play, change } = rig();
  play('---');
  change({ consecutiveFailures: 4 });
  t.is(breaker.state, 'closed');
  play('-');
  t.is(breaker.state, 'open');
});

test('a fresh start that was asked for forgets what was counted, and closes it', (t) => {
  const { breaker, play } = rig();
  play('----');
  breaker.reset();
  play('----');
  t.is(breaker.state, 'closed');
  play('-');
  breaker.reset();
  t.is(breaker.state, 'closed');
});

test('a clock that is set back keeps neither old failures alive nor anybody waiting', (t) => {
  const { breaker, clock, play } = rig({ consecutiveFailures: 1000 });
  play('-'.repeat(19));
  clock.advance(-3_600_000);
  play('-');
  t.is(breaker.state, 'closed', '1 of 1, not 20 of 20');
  breaker.trip('dead');
  clock.advance(-3_600_000);
  t.is(breaker.retryInMs, 0, 'nobody waits for an hour');
});

test('one that goes on for another has its state, its wait and the length of the next', (t) => {
  const before = rig();
  before.breaker.trip('dead');
  before.breaker.tryAgain();
  before.breaker.record('failure');
  const { history } = before.breaker;
  t.like(history, { state: 'open', openings: 2 });
  const policy = (): BreakerPolicy => POLICY;
  const after = new Breaker({ policy, clock: before.clock, random: () => 0, past: history });
  t.deepEqual(after.history, history);
  t.is(after.retryInMs, 2 * POLICY.ejectMs);
  after.tryAgain();
  after.record('failure');
  t.is(after.retryInMs, 3 * POLICY.ejectMs);
  after.tryAgain();
  after.record('success');
  t.like(after.history, { state: 'closed', openings: 0 });
});
