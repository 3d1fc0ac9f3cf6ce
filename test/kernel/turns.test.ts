import test from 'ava';
import { Turns } from '../../orchestrator/kernel/index.ts';

test('work of one name is done one after the other, of several side by side, and begins at once where it can', async (t) => {
  const turns = new Turns();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, until: Promise<void>) => async () => {
    order.push(`${name} begins`);
    await until;
    order.push(`${name} ends`);
    return name;
  };
  const all = [
    turns.take('a', work('a1', first.promise)),
    turns.take('a', work('a2', Promise.resolve())),
    turns.take('b', work('b1', first.promise)),
  ];
  t.deepEqual(order, ['a1 begins', 'b1 begins']);
  first.resolve();
  t.deepEqual(await Promise.all(all), ['a1', 'a2', 'b1']);
  t.true(order.indexOf('a1 ends') < order.indexOf('a2 begins'));
});

test('a failure is for who asked for it; the next has its turn all the same, and nothing is under way afterwards', async (t) => {
  const turns = new Turns();
  const fails = turns.take('a', () => {
    throw new Error('at once');
  });
  const next = turns.take('a', async () => 'done');
  t.true(turns.has('a'));
  await t.throwsAsync(fails, { message: 'at once' });
  t.is(await next, 'done');
  t.false(turns.has('a'));
});
