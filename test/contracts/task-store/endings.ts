import { ABANDONED_AFTER_MS, type Case, claim, dead, done, ids, retry, task, WAIT_MS } from './words.ts';

/** What becomes of tasks in hand. */
export const cases = new Map<string, Case>();

cases.set('what is done is told to its owner, and gone from the queue', async (store) => {
  await store.enqueue([task('t'), task('u', { principal: 'bob' })]);
  await store.claim(claim('one', 10));
  const started = await store.start('one', [{ id: 't', mayRunTwice: true }]);
  const running = await store.task('t');
  const settled = await store.settle('one', [
    done('t', '{"big":12345678901234567890}'),
    { ...done('u'), kind: 'failed' },
  ]);
  const record = await store.task('t');
  const all = await store.results('mcp', 10, null);
  return [
    [
      [started, settled],
      [[true], [true, true]],
    ],
    [
      [running?.state, running?.attempts, running?.outcome],
      ['running', 1, null],
    ],
    [
      [record?.state, record?.outcome],
      ['done', '{"big":12345678901234567890}'],
    ],
    [(await store.task('u'))?.state, 'failed'],
    [all.map(({ json }) => json), ['{"of":"u"}', '{"big":12345678901234567890}']],
    [(await store.results('mcp', 1, null)).map(({ json }) => json), ['{"of":"u"}']],
    [(await store.results('mcp', 10, 'alice')).map(({ json }) => json), ['{"big":12345678901234567890}']],
    [await store.usage(), { open: 0, dead: 0, bytes: 0 }],
    [await store.claim(claim('two', 10, { abandonedAfterMs: 0 })), []],
  ];
});

cases.set('a retry waits, and counts as an attempt only where it was one', async (store, pass) => {
  await store.enqueue([task('t')]);
  await store.claim(claim('one', 1));
  await store.settle('one', [retry('t', WAIT_MS, true)]);
  const waiting = await store.task('t');
  const early = await store.claim(claim('one', 1));
  await pass(WAIT_MS * 1.2);
  const [again] = await store.claim(claim('two', 1));
  await store.start('two', [{ id: 't', mayRunTwice: false }]);
  await store.settle('two', [retry('t', 0)]);
  const [third] = await store.claim(claim('two', 1));
  return [
    [
      [waiting?.state, waiting?.message, early.length],
      ['delayed', 'not now', 0],
    ],
    [
      [again?.attempts, again?.refusals, again?.interrupted, again?.json],
      [0, 1, false, '{"n":"t"}'],
    ],
    [
      [third?.attempts, third?.refusals, third?.interrupted],
      [1, 1, false],
    ],
  ];
});

cases.set(
  'what a consumer that is gone had is handed to another, with whether it was started',
  async (store, pass) => {
    await store.enqueue([task('a'), task('b'), task('c')]);
    await store.claim(claim('gone', 3));
    await store.start('gone', [
      { id: 'b', mayRunTwice: true },
      { id: 'c', mayRunTwice: false },
    ]);
    const tooEarly = await store.claim(claim('two', 10, { abandonedAfterMs: 60_000 }));
    await pass(ABANDONED_AFTER_MS * 1.2);
    const taken = await store.claim(claim('two', 10, { abandonedAfterMs: ABANDONED_AFTER_MS }));
    return [
      [tooEarly, []],
      [
        taken.map(({ id, interrupted, mayRunTwice, attempts }) => [id, interrupted, mayRunTwice, attempts]),
        [
          ['a', false, false, 0],
          ['b', true, true, 1],
          ['c', true, false, 1],
        ],
      ],
      [await store.start('gone', [{ id: 'a', mayRunTwice: true }]), [false]],
      [await store.settle('gone', [done('b')]), [false]],
      [await store.renew('gone', ['c']), [false]],
      [(await store.task('b'))?.state, 'running'],
      [await store.start('two', [{ id: 'a', mayRunTwice: true }]), [true]],
      [await store.settle('two', [done('a'), done('b'), dead('c')]), [true, true, true]],
      [await store.settle('two', [done('a')]), [false]],
    ];
  },
);

cases.set('who says that it is still at work keeps its tasks', async (store, pass) => {
  await store.enqueue([task('a')]);
  await store.claim(claim('one', 1));
  const renewed: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    await pass(ABANDONED_AFTER_MS * 0.5);
    renewed.push(...(await store.renew('one', ['a', 'never-was'])));
  }
  return [
    [renewed, [true, false, true, false, true, false]],
    [await store.claim(claim('two', 1, { abandonedAfterMs: ABANDONED_AFTER_MS })), []],
  ];
});

cases.set('a dead letter says why, stays, and can be replayed or discarded', async (store) => {
  await store.enqueue([task('a', { priority: 3 }), task('b', { principal: 'bob' })]);
  await store.claim(claim('one', 2));
  await store.start('one', [{ id: 'a', mayRunTwice: false }]);
  await store.settle('one', [dead('a'), { ...dead('b'), reason: 'unreachable' }]);
  const [b, a] = await store.dead('mcp', 10, null);
  const own = await store.dead('mcp', 10, 'bob');
  const usage = await store.usage();
  const record = await store.task('a');
  const outcome = [
    await store.replay('a'),
    await store.replay('a'),
    await store.discard('b'),
    await store.discard('a'),
  ];
  const [again] = await store.claim(claim('two', 10));
  return [
    [
      [b?.id, b?.reason, b?.attempts, ids(own)],
      ['b', 'unreachable', 0, ['b']],
    ],
    [
      [a?.id, a?.reason, a?.message, a?.attempts, a?.json],
      ['a', 'attempts', 'too often', 1, '{"n":"a"}'],
    ],
    [(a?.diedAt ?? 0) > 0, true],
    [
      [usage.open, usage.dead],
      [2, 2],
    ],
    [
      [record?.state, record?.reason, record?.message],
      ['dead', 'attempts', 'too often'],
    ],
    [outcome, [true, false, true, false]],
    [
      [again?.id, again?.attempts, again?.priority, again?.interrupted],
      ['a', 0, 3, false],
    ],
    [
      [await store.task('b'), await store.dead('mcp', 10, null)],
      [null, []],
    ],
    [
      [(await store.usage()).open, (await store.usage()).dead],
      [1, 0],
    ],
  ];
});
