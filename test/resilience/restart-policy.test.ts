import test from 'ava';
import fc from 'fast-check';
import {
  afterFailure,
  judgeFailure,
  noFailures,
  defaultRestartPolicy as policy,
  type RestartFacts,
  type RestartVerdict,
  stillCounting,
  windowOf,
} from '../../orchestrator/resilience/restart-policy.ts';

const minuteMs = 60_000;
const highest = () => 0.999_999;

function facts(over: Partial<RestartFacts> = {}): RestartFacts {
  return {
    nowMs: 1_000_000_000,
    failureTimesMs: [1_000_000_000],
    consecutiveFailures: 1,
    readyForMs: 0,
    readyTimeoutMs: minuteMs,
    inCrashLoop: false,
    ...over,
  };
}

/** Fails again and again: each attempt lives `livesMs` (ready for `readyForMs` of it), then the verdict is obeyed. */
function failRepeatedly(
  times: number,
  livesMs: number,
  { readyForMs = 0, readyTimeoutMs = minuteMs, random = highest } = {},
): RestartVerdict[] {
  let nowMs = 1_000_000_000;
  let history = noFailures;
  const verdicts: RestartVerdict[] = [];
  for (let index = 0; index < times; index++) {
    nowMs += livesMs;
    const judged = afterFailure(history, { nowMs, readyForMs, readyTimeoutMs }, random);
    history = judged.history;
    verdicts.push(judged.verdict);
    nowMs = judged.verdict.action === 'restart' ? nowMs + judged.verdict.delayMs : judged.verdict.nextTryAt;
  }
  return verdicts;
}

test('the first failure is restarted at once', (t) => {
  t.deepEqual(judgeFailure(facts(), highest), { action: 'restart', delayMs: 0 });
});

const ceiling = test.macro({
  exec(t, consecutiveFailures: number, ceilingMs: number) {
    const slow = facts({ consecutiveFailures, failureTimesMs: [] });
    t.deepEqual(
      judgeFailure(slow, () => 0),
      { action: 'restart', delayMs: 0 },
    );
    t.deepEqual(
      judgeFailure(slow, () => 0.5),
      { action: 'restart', delayMs: ceilingMs / 2 },
    );
  },
  title: (_, failures, ceilingMs) =>
    `failure ${failures} in a row waits up to ${ceilingMs} ms, with full jitter`,
});

test(ceiling, 2, 1000);
test(ceiling, 3, 2000);
test(ceiling, 4, 4000);
test(ceiling, 7, 32_000);
test(ceiling, 8, 60_000);
test(ceiling, 500, 60_000);

test('the fifth failure in five minutes is a crash loop, and it is tried again after about a minute', (t) => {
  const verdicts = failRepeatedly(5, 100, { random: () => 0 });
  t.deepEqual(
    verdicts.map(({ action }) => action),
    ['restart', 'restart', 'restart', 'restart', 'crash_loop'],
  );
  t.deepEqual(verdicts[4], { action: 'crash_loop', nextTryAt: 1_000_000_500 + minuteMs });
});

test('a crash loop stays one while it waits, and slows down to a try in five minutes', (t) => {
  const verdicts = failRepeatedly(12, 0, { random: () => 0 }).slice(4);
  const tries = verdicts.map((verdict) => (verdict.action === 'crash_loop' ? verdict.nextTryAt : 0));
  const waits = tries.map((at, index) => at - (tries[index - 1] ?? 1_000_000_000));
  t.deepEqual(
    waits,
    [1, 2, 4, 5, 5, 5, 5, 5].map((minutes) => minutes * minuteMs),
  );
});

test('a server that was ready for ten minutes begins anew', (t) => {
  const old = facts({
    readyForMs: 10 * minuteMs,
    consecutiveFailures: 40,
    failureTimesMs: Array(5).fill(1_000_000_000),
    inCrashLoop: true,
  });
  t.deepEqual(judgeFailure(old, highest), { action: 'restart', delayMs: 0 });
  const { history } = afterFailure(old, old, highest);
  t.deepEqual(history, { consecutiveFailures: 1, failureTimesMs: [1_000_000_000], inCrashLoop: false });
});

test('a server that dies every six minutes is restarted every time and is no crash loop', (t) => {
  const verdicts = failRepeatedly(50, 6 * minuteMs, { readyForMs: 6 * minuteMs });
  t.true(verdicts.every(({ action }) => action === 'restart'));
});

test('a crash loop ends when the server was ready for a whole window', (t) => {
  const ready = windowOf(minuteMs);
  const verdict = judgeFailure(
    facts({ inCrashLoop: true, consecutiveFailures: 9, readyForMs: ready }),
    highest,
  );
  t.is(verdict.action, 'restart');
});

test('the window is longer than the burst times the longest wait, so a crash loop is always found', (t) => {
  const longestWaitMs = policy.baseDelayMs * 2 ** (policy.burst - 2);
  t.true(policy.windowMs > policy.burst * longestWaitMs);
  t.is(windowOf(minuteMs), 5 * minuteMs);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (readyTimeoutMs, part, jitter) => {
        const verdicts = failRepeatedly(20, Math.floor(part * readyTimeoutMs), {
          readyTimeoutMs,
          random: () => jitter,
        });
        return verdicts.every(
          ({ action }, index) => action === (index < policy.burst - 1 ? 'restart' : 'crash_loop'),
        );
      },
    ),
  );
});

test('waits are never negative, never over their ceiling, and history stays short', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ passMs: fc.nat(2e6), readyForMs: fc.nat(1e6) }), { maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (failures, jitter) => {
        let nowMs = 0;
        let history = noFailures;
        return failures.every(({ passMs, readyForMs }) => {
          nowMs += passMs + readyForMs;
          const judged = afterFailure(history, { nowMs, readyForMs, readyTimeoutMs: minuteMs }, () => jitter);
          history = judged.history;
          const { verdict } = judged;
          const waitMs = verdict.action === 'restart' ? verdict.delayMs : verdict.nextTryAt - nowMs;
          const mostMs = verdict.action === 'restart' ? policy.maxDelayMs : policy.maxCrashLoopDelayMs;
          const leastMs = verdict.action === 'restart' ? 0 : policy.crashLoopDelayMs * 0.79;
          return waitMs >= leastMs && waitMs <= mostMs && history.failureTimesMs.length <= policy.burst;
        });
      },
    ),
  );
  t.is(noFailures.consecutiveFailures, 0);
});

test('a clock that jumps back makes no crash loop of failures in the future', (t) => {
  const future = Array.from({ length: 4 }, (_, index) => 2_000_000_000 + index);
  t.is(judgeFailure(facts({ failureTimesMs: [...future, 1_000_000_000] }), highest).action, 'restart');
});

test('what counts of failures: all of it, a crash loop no more after a whole window, nothing after ten minutes', (t) => {
  const history = { failureTimesMs: [1, 2], consecutiveFailures: 7, inCrashLoop: true };
  const after = (readyForMs: number) => stillCounting(history, { readyForMs, readyTimeoutMs: minuteMs });
  t.deepEqual(after(windowOf(minuteMs) - 1), history);
  t.deepEqual(after(windowOf(minuteMs)), { ...history, inCrashLoop: false });
  t.deepEqual(after(10 * minuteMs), noFailures);
});
