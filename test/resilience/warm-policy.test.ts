import test from 'ava';
import fc from 'fast-check';
import { planGreetings } from '../../orchestrator/resilience/index.ts';

test('before anybody has come no spare is greeted', (t) => {
  t.is(planGreetings([], 3).size, 0);
});

test('where everybody says the same, all spares are greeted so', (t) => {
  t.deepEqual([...planGreetings(['a', 'a'], 3)], [['a', 3]]);
});

test('one spare for several kinds of clients stays open for all of them', (t) => {
  t.is(planGreetings(['a', 'a', 'a', 'b'], 1).size, 0);
});

test('each handshake gets the whole part of its share, and the rest stays open', (t) => {
  t.deepEqual([...planGreetings(['a', 'a', 'b', 'a'], 2)], [['a', 1]]);
  t.deepEqual(
    [...planGreetings(['a', 'b'], 2)],
    [
      ['a', 1],
      ['b', 1],
    ],
  );
});

test('never more are planned than there are, and none for what nobody says', (t) => {
  const hellos = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 });
  t.notThrows(() =>
    fc.assert(
      fc.property(hellos, fc.nat(50), (said, spares) => {
        const plan = planGreetings(said, spares);
        const sum = [...plan.values()].reduce((total, count) => total + count, 0);
        return (
          sum <= spares && [...plan].every(([hello, count]) => said.some((one) => one === hello) && count > 0)
        );
      }),
    ),
  );
});
