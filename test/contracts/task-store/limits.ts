import { type Case, claim, dead, done, ids, task, told } from './words.ts';

/** What is taken once, what is refused, and what is forgotten. */
export const cases = new Map<string, Case>();

cases.set(
  'of tasks with one idempotency key the first is taken, and another task under it is refused',
  async (store) => {
    const key = { idempotencyKey: 'k', digest: 'd' };
    const first = await store.enqueue([task('a', key)]);
    const again = await store.enqueue([task('b', key), task('c'), task('d', key)]);
    const other = await store.enqueue([task('e'), task('f', { idempotencyKey: 'k', digest: 'x' })]);
    const twice = { idempotencyKey: 'k2', digest: 'y' };
    const together = await store.enqueue([task('g', twice), task('h', twice)]);
    const against = await store.enqueue([
      task('i', { idempotencyKey: 'k3' }),
      task('j', { idempotencyKey: 'k3' }),
    ]);
    await store.claim(claim('one', 10));
    await store.settle('one', [done('a')]);
    return [
      [told(first), [['a', 'queued', false]]],
      [
        told(again),
        [
          ['a', 'queued', true],
          ['c', 'queued', false],
          ['a', 'queued', true],
        ],
      ],
      [told(other), 'conflict'],
      [
        told(together),
        [
          ['g', 'queued', false],
          ['g', 'queued', true],
        ],
      ],
      [told(against), 'conflict'],
      [await store.task('e'), null],
      [told(await store.enqueue([task('k', key)])), [['a', 'done', true]]],
      [(await store.usage()).open, 2],
    ];
  },
);

cases.set('a full store takes nothing more, and has room again when something is over', async (store) => {
  const all = await store.enqueue(['1', '2', '3', '4', '5', '6', '7'].map((id) => task(id)));
  const tooMany = await store.enqueue([task('8'), task('9')]);
  const claimed = await store.claim(claim('one', 2));
  await store.settle('one', [done('1'), dead('2')]);
  const big = await store.enqueue([task('big', { json: 'x'.repeat(1000) })]);
  const outcome = [await store.enqueue([task('8'), task('9')]), await store.enqueue([task('8')])];
  return [
    [all.length, 7],
    [tooMany, 'full'],
    [ids(claimed), ['1', '2']],
    [big, 'full'],
    [outcome.map((one) => typeof one === 'string'), [false, true]],
    [outcome[1], 'full'],
  ];
});

cases.set(
  'of finished tasks the newest are kept, with their results, by number and by size',
  async (store) => {
    const key = { idempotencyKey: 'k' };
    await store.enqueue([task('1', key), task('2'), task('3'), task('4')]);
    await store.claim(claim('one', 10));
    for (const id of ['1', '2', '3', '4']) await store.settle('one', [done(id)]);
    const kept = (await store.results('mcp', 10, null)).map(({ json }) => json);
    const forgotten = await store.task('1');
    const again = await store.enqueue([task('5', { ...key, digest: 'another' })]);
    await store.claim(claim('one', 10));
    await store.settle('one', [done('5', `"${'x'.repeat(490)}"`)]);
    return [
      [kept, ['{"of":"4"}', '{"of":"3"}', '{"of":"2"}']],
      [forgotten, null],
      [told(again), [['5', 'queued', false]]],
      [(await store.results('mcp', 10, null)).length, 1],
      [await store.task('4'), null],
    ];
  },
);
