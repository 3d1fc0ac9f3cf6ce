import test from 'ava';
import { type ReasonCode, reason } from '../../orchestrator/kernel/index.ts';
import { RestartPlan } from '../../orchestrator/lifecycle/restart-plan.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function plan() {
  const clock = new FakeClock();
  const subject = new RestartPlan(clock, () => 0.5);
  const next = (code: ReasonCode, retryAfterMs: number | null = null) => {
    const failure = {
      reason: reason(code, 'what happened'),
      retryAfterMs,
      readyForMs: 0,
      readyTimeoutMs: 1000,
    };
    const { at, failed, reason: why } = subject.next(failure);
    return { inMs: at - clock.now(), failed, code: why.code, message: why.message };
  };
  return { next, subject };
}

test('a death is retried at once and only mentioned, until it is a crash loop', (t) => {
  const { next, subject } = plan();
  t.like(next('exited'), { inMs: 0, failed: false, code: 'exited' });
  for (let failures = 2; failures < 5; failures++) t.false(next('oom').failed);
  const loop = next('exited');
  t.like(loop, { failed: true, code: 'crash_loop' });
  t.true(loop.inMs > 30_000);
  t.regex(loop.message, /5 times in a row.*what happened/);
  subject.forget();
  t.is(next('exited').inMs, 0);
});

test('a kill that was asked for never adds up to a crash loop', (t) => {
  const { next } = plan();
  for (let kills = 0; kills < 20; kills++) t.like(next('killed'), { inMs: 0, failed: false, code: 'killed' });
});

test('a failure that would repeat stands for a while, and one that knows better is asked', (t) => {
  const { next } = plan();
  t.like(next('never_ready'), { inMs: 10_000, failed: true });
  t.like(next('install_failed', 60_000), { inMs: 60_000, failed: true });
});
