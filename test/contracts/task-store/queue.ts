import { ABANDONED_AFTER_MS, type Case, claim, ids, retry, task, told, WAIT_MS } from './words.ts';

/** How tasks are handed out. */
export const cases = new Map<string, Case>();

cases.set('a task is handed to one consumer, and is as it was enqueued', async (store) => {
  const json = '{"text":"äöü 🏗 \\"\\\\","big":12345678901234567890}';
  const outcome = await store.enqueue([task('t', { json, priority: 4 })]);
  const [claimed] = await store.claim(claim('one', 10));
  const { enqueuedAt, dueAt, ...rest } = claimed ?? { enqueuedAt: 0, dueAt: -1 };
  return [
    [told(outcome), [['t', 'queued', false]]],
    [dueAt === enqueuedAt && enqueuedAt > 0, true],
    [
      { ...rest },
      { ...rest, id: 't', topic: 'mcp', lane: 'a', priority: 4, json, principal: 'alice', attempts: 0 },
    ],
    [
      [claimed?.maxAttempts, claimed?.refusals, claimed?.interrupted, claimed?.mayRunTwice],
      [3, 0, false, false],
    ],
    [await store.claim(claim('two', 10)), []],
    [(await store.task('t'))?.state, 'queued'],
    [await store.task('nobody'), null],
  ];
});

cases.set('higher priorities first, in each the oldest', async (store) => {
  await store.enqueue([
    task('a'),
    task('b', { priority: 9 }),
    task('c', { priority: 5 }),
    task('d', { priority: 9 }),
  ]);
  const first = await store.claim(claim('one', 3));
  return [
    [ids(first), ['b', 'd', 'c']],
    [ids(await store.claim(claim('one', 3))), ['a']],
  ];
});

cases.set('a busy lane holds up no other, and lanes take turns', async (store) => {
  await store.enqueue([
    task('a1'),
    task('a2'),
    task('a3'),
    task('b1', { lane: 'b' }),
    task('b2', { lane: 'b' }),
  ]);
  const [first] = await store.claim(claim('one', 1, { turn: 0 }));
  const [second] = await store.claim(claim('one', 1, { turn: 1 }));
  const busy = new Map([['a', 2]]);
  const others = await store.claim(claim('one', 10, { perLane: 2, busy }));
  return [
    [[first?.lane, second?.lane].sort(), ['a', 'b']],
    [ids(others), ['b2']],
    [ids(await store.claim(claim('one', 10, { perLane: 1 }))), ['a2']],
  ];
});

cases.set('topics are apart', async (store) => {
  await store.enqueue([task('x', { topic: 'mail', lane: '' }), task('y', { topic: 'mail:in', lane: '' })]);
  return [
    [await store.claim(claim('one', 10)), []],
    [ids(await store.claim(claim('one', 10, { topic: 'mail' }))), ['x']],
    [ids(await store.claim(claim('one', 10, { topic: 'mail:in' }))), ['y']],
  ];
});

cases.set('a delayed task waits until it is due', async (store, pass) => {
  const outcome = await store.enqueue([task('late', { delayMs: WAIT_MS, priority: 2 })]);
  const early = await store.claim(claim('one', 10));
  const before = (await store.task('late'))?.state;
  await pass(WAIT_MS * 1.2);
  const [claimed] = await store.claim(claim('one', 10));
  return [
    [told(outcome), [['late', 'delayed', false]]],
    [early, []],
    [before, 'delayed'],
    [
      [claimed?.id, claimed?.json, claimed?.priority],
      ['late', '{"n":"late"}', 2],
    ],
    [(claimed?.dueAt ?? 0) - (claimed?.enqueuedAt ?? 0), WAIT_MS],
  ];
});

cases.set(
  'a consumer whose reply was lost gets its task once more, and is told that it had it',
  async (store, pass) => {
    await store.enqueue([task('a')]);
    const [first] = await store.claim(claim('one', 1));
    await pass(ABANDONED_AFTER_MS * 1.2);
    const [again] = await store.claim(claim('one', 1, { abandonedAfterMs: ABANDONED_AFTER_MS }));
    await store.settle('one', [retry('a', 0)]);
    const [anew] = await store.claim(claim('one', 1));
    return [
      [
        [first?.id, first?.wasHeld],
        ['a', false],
      ],
      [
        [again?.id, again?.wasHeld, again?.interrupted],
        ['a', true, false],
      ],
      [
        [anew?.id, anew?.wasHeld],
        ['a', false],
      ],
    ];
  },
);
