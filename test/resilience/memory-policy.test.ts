import test from 'ava';
import fc from 'fast-check';
import { defaultMemoryBudget, judgeMemory } from '../../orchestrator/resilience/index.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

test('the default catalogue and twenty sessions of 256 MiB fit an engine of 4 GiB, and not many more', (t) => {
  const budget = defaultMemoryBudget(4 * GiB);
  t.true(budget >= (6 + 20) * 256 * MiB);
  t.true(budget < 30 * 256 * MiB);
});

test('a small engine keeps a quarter for itself', (t) => {
  t.is(defaultMemoryBudget(512 * MiB), 2 * 384 * MiB);
});

const facts = {
  budgetBytes: 100,
  committedBytes: 60,
  awaitedBytes: 0,
  neededBytes: 40,
  claimant: 'session' as const,
  isTight: false,
};

test('what fits exactly fits, and a byte more does not', (t) => {
  t.deepEqual(judgeMemory(facts), { fits: true, freeBytes: 40 });
  t.deepEqual(judgeMemory({ ...facts, neededBytes: 41 }), { fits: false, freeBytes: 40 });
});

test('what a standing replica waits for is not given to a session', (t) => {
  t.false(judgeMemory({ ...facts, awaitedBytes: 1 }).fits);
  t.true(judgeMemory({ ...facts, awaitedBytes: 40, claimant: 'standing' }).fits);
});

test('no spare is made while others are refused', (t) => {
  t.false(judgeMemory({ ...facts, claimant: 'spare', isTight: true }).fits);
  t.true(judgeMemory({ ...facts, isTight: true }).fits);
});

test('while the engine has not been asked everything fits', (t) => {
  t.true(judgeMemory({ ...facts, budgetBytes: null, neededBytes: 1e15 }).fits);
});

test('nothing that is let in exceeds the budget', (t) => {
  const claimant = fc.constantFrom('standing' as const, 'session' as const, 'spare' as const);
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1 }),
        claimant,
        fc.boolean(),
        (...given) => {
          const [budgetBytes, committedBytes, awaitedBytes, neededBytes, who, isTight] = given;
          const amounts = { budgetBytes, committedBytes, awaitedBytes, neededBytes };
          const { fits } = judgeMemory({ ...amounts, claimant: who, isTight });
          return !fits || committedBytes + neededBytes <= budgetBytes;
        },
      ),
    ),
  );
});
