import test from 'ava';
import fc from 'fast-check';
import { RetryBudget } from '../../orchestrator/resilience/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const limits = { budgetPercent: 20, minPerSecond: 10 };

function withdrawals(budget: RetryBudget, tries: number, by = limits): number {
  return Array.from({ length: tries }, () => budget.withdraw(by)).filter(Boolean).length;
}

test('a server with few calls has its minimum, and no more', (t) => {
  t.is(withdrawals(new RetryBudget(new FakeClock()), 500), 100);
});

test('a fifth of the calls may be tried again beside the minimum', (t) => {
  const budget = new RetryBudget(new FakeClock());
  for (let call = 0; call < 1000; call++) budget.deposit();
  t.is(withdrawals(budget, 500), 300);
});

test('without a minimum nothing is tried again until there have been calls', (t) => {
  const budget = new RetryBudget(new FakeClock());
  const none = { budgetPercent: 20, minPerSecond: 0 };
  t.is(withdrawals(budget, 10, none), 0);
  for (let call = 0; call < 10; call++) budget.deposit();
  t.is(withdrawals(budget, 10, none), 2);
});

test('calls count for ten seconds, and so do the retries', (t) => {
  const clock = new FakeClock();
  const budget = new RetryBudget(clock);
  for (let call = 0; call < 1000; call++) budget.deposit();
  t.is(withdrawals(budget, 1000), 300);
  clock.advance(9000);
  t.is(withdrawals(budget, 10), 0);
  clock.advance(2000);
  t.is(withdrawals(budget, 500), 100, 'calls and retries are forgotten');
});

test('whenever a retry is allowed, those of ten seconds are within the minimum and the share of the calls', (t) => {
  const step = fc.record({
    afterMs: fc.nat({ max: 4000 }),
    calls: fc.nat({ max: 50 }),
    retries: fc.nat({ max: 120 }),
  });
  const anyLimits = fc.record({ budgetPercent: fc.nat({ max: 100 }), minPerSecond: fc.nat({ max: 20 }) });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), anyLimits, (steps, by) => {
        const clock = new FakeClock();
        const budget = new RetryBudget(clock);
        const history: { second: number; calls: number; retries: number }[] = [];
        return steps.every(({ afterMs, calls, retries }) => {
          clock.advance(afterMs);
          for (let call = 0; call < calls; call++) budget.deposit();
          const second = Math.floor(clock.now() / 1000);
          const allowed = withdrawals(budget, retries, by);
          history.push({ second, calls, retries: allowed });
          const recent = history.filter((one) => one.second > second - 10);
          const sum = (key: 'calls' | 'retries') => recent.reduce((total, one) => total + one[key], 0);
          return (
            allowed === 0 || sum('retries') <= by.minPerSecond * 10 + (sum('calls') * by.budgetPercent) / 100
          );
        });
      }),
    ),
  );
});
