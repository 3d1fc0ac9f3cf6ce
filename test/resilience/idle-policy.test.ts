import test from 'ava';
import fc from 'fast-check';
import { judgeIdle, type Rest } from '../../orchestrator/resilience/index.ts';

const ladder = { pauseAfterMs: 1000, stopAfterMs: 5000, busy: false, rest: 'awake' as Rest };

test('the ladder goes down step by step, and says when the next one is due', (t) => {
  t.deepEqual(judgeIdle({ ...ladder, idleForMs: 0 }), { rest: 'awake', askAgainMs: 1000 });
  t.deepEqual(judgeIdle({ ...ladder, idleForMs: 999 }), { rest: 'awake', askAgainMs: 1 });
  t.deepEqual(judgeIdle({ ...ladder, idleForMs: 1000 }), { rest: 'paused', askAgainMs: 4000 });
  t.deepEqual(judgeIdle({ ...ladder, idleForMs: 5000 }), { rest: 'stopped', askAgainMs: null });
});

test('each step can be left out', (t) => {
  t.is(judgeIdle({ ...ladder, stopAfterMs: null, idleForMs: 1e9 }).rest, 'paused');
  t.is(judgeIdle({ ...ladder, pauseAfterMs: null, idleForMs: 4999 }).rest, 'awake');
  t.is(judgeIdle({ ...ladder, pauseAfterMs: null, idleForMs: 5000 }).rest, 'stopped');
  const never = { ...ladder, pauseAfterMs: null, stopAfterMs: null };
  t.deepEqual(judgeIdle({ ...never, idleForMs: 1e9 }), { rest: 'awake', askAgainMs: null });
});

const steps = fc.option(fc.integer({ min: 1000, max: 1e6 }), { nil: null });
const rests = fc.constantFrom<Rest>('awake', 'paused', 'stopped');

test('what is busy is never put to rest, and what rests wakes by nothing but use', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(steps, steps, rests, fc.nat(2e6), (pauseAfterMs, stopAfterMs, rest, idleForMs) => {
        const facts = { pauseAfterMs, stopAfterMs, rest, idleForMs };
        if (judgeIdle({ ...facts, busy: true }).rest !== 'awake') return false;
        const { rest: next, askAgainMs } = judgeIdle({ ...facts, busy: false });
        const order: Rest[] = ['awake', 'paused', 'stopped'];
        return order.indexOf(next) >= order.indexOf(rest) && (askAgainMs === null || askAgainMs > 0);
      }),
    ),
  );
});
