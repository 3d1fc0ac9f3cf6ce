import type { TestFn } from 'ava';
import type { ClaimRequest, EnqueueOutcome, TaskLimits, TaskStore } from '../../orchestrator/bus/index.ts';
import type { NewTask } from '../../orchestrator/kernel/index.ts';

export type TaskStoreUnderTest = {
  readonly name: string;
  open(limits: TaskLimits): Promise<{
    readonly store: TaskStore;
    /** Lets so much time pass, for the store. */
    readonly pass: (ms: number) => Promise<void>;
    readonly close: () => Promise<void>;
  }>;
};

/** What was seen, and what should have been. */
type Seen = readonly [seen: unknown, expected: unknown];
type Case = (store: TaskStore, pass: (ms: number) => Promise<void>) => Promise<Seen[]>;

const LIMITS: TaskLimits = {
  maxTasks: 8,
  maxBytes: 1000,
  resultsKept: 3,
  resultBytes: 500,
  keptMs: 60_000,
};
const ABANDONED_AFTER_MS = 100;

function task(id: string, more: Partial<NewTask> = {}): NewTask {
  return {
    ...{ id, topic: 'mcp', lane: 'a', priority: 0, delayMs: 0, json: `{"n":"${id}"}`, principal: 'alice' },
    ...{ idempotencyKey: null, digest: `digest-of-${id}`, maxAttempts: 3, mayRunTwice: false },
    ...more,
  };
}

function claim(consumer: string, count: number, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const free = { perLane: 100, busy: new Map(), turn: 0, abandonedAfterMs: null };
  return { topic: 'mcp', consumer, count, ...free, ...more };
}

const ids = (tasks: readonly { readonly id: string }[]): string[] => tasks.map(({ id }) => id);
const told = (outcome: EnqueueOutcome) =>
  typeof outcome === 'string' ? outcome : outcome.map(({ id, state, existed }) => [id, state, existed]);
const dead = (id: string) => ({ id, kind: 'dead', reason: 'attempts', message: 'too often' }) as const;
const retry = (id: string, delayMs: number, refused = false) =>
  ({ id, kind: 'retry', delayMs, refused, message: 'not now' }) as const;
const done = (id: string, json = `{"of":"${id}"}`) => ({ id, kind: 'done', json }) as const;

/** What every TaskStore promises; the same cases for the real adapter and its twin. */
const cases = new Map<string, Case>();

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
  const outcome = await store.enqueue([task('late', { delayMs: 150, priority: 2 })]);
  const early = await store.claim(claim('one', 10));
  const before = (await store.task('late'))?.state;
  await pass(200);
  const [claimed] = await store.claim(claim('one', 10));
  return [
    [told(outcome), [['late', 'delayed', false]]],
    [early, []],
    [before, 'delayed'],
    [
      [claimed?.id, claimed?.json, claimed?.priority],
      ['late', '{"n":"late"}', 2],
    ],
    [(claimed?.dueAt ?? 0) - (claimed?.enqueuedAt ?? 0), 150],
  ];
});

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
  await store.settle('one', [retry('t', 100, true)]);
  const waiting = await store.task('t');
  const early = await store.claim(claim('one', 1));
  await pass(150);
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
    await pass(ABANDONED_AFTER_MS * 1.5);
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
    await pass(ABANDONED_AFTER_MS * 0.6);
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

export function taskStoreContract(test: TestFn, underTest: TaskStoreUnderTest): void {
  for (const [title, run] of cases) {
    test(`task store, ${underTest.name}: ${title}`, async (t) => {
      const { store, pass, close } = await underTest.open(LIMITS);
      t.teardown(close);
      for (const [seen, expected] of await run(store, pass)) t.deepEqual(seen, expected);
    });
  }
  test(`task store, ${underTest.name}: a finished task is forgotten in time, and its idempotency key with it`, async (t) => {
    const { store, pass, close } = await underTest.open({ ...LIMITS, keptMs: 100 });
    t.teardown(close);
    await store.enqueue([task('a', { idempotencyKey: 'k' })]);
    await store.claim(claim('one', 1));
    await store.settle('one', [done('a')]);
    t.is((await store.task('a'))?.state, 'done');
    await pass(200);
    t.is(await store.task('a'), null);
    t.deepEqual(await store.results('mcp', 10, null), []);
    t.deepEqual(told(await store.enqueue([task('b', { idempotencyKey: 'k' })])), [['b', 'queued', false]]);
  });
}
