import type { TestFn } from 'ava';
import type { TaskStore } from '../../orchestrator/bus/index.ts';
import type { TaskLimits } from '../../orchestrator/kernel/index.ts';
import { cases as endings } from './task-store/endings.ts';
import { cases as limits } from './task-store/limits.ts';
import { cases as queue } from './task-store/queue.ts';
import { claim, done, LIMITS, task, told, WAIT_MS } from './task-store/words.ts';

export type TaskStoreUnderTest = {
  readonly name: string;
  open(limits: TaskLimits): Promise<{
    readonly store: TaskStore;
    /** Lets so much time pass, for the store. */
    readonly pass: (ms: number) => Promise<void>;
    readonly close: () => Promise<void>;
  }>;
};

/** What every TaskStore promises; the same cases for the real adapter and its twin. */
const cases = [...queue, ...endings, ...limits];

export function taskStoreContract(test: TestFn, underTest: TaskStoreUnderTest): void {
  for (const [title, run] of cases) {
    test(`task store, ${underTest.name}: ${title}`, async (t) => {
      const { store, pass, close } = await underTest.open(LIMITS);
      t.teardown(close);
      for (const [seen, expected] of await run(store, pass)) t.deepEqual(seen, expected);
    });
  }
  test(`task store, ${underTest.name}: a finished task is forgotten in time, and its idempotency key with it`, async (t) => {
    const { store, pass, close } = await underTest.open({ ...LIMITS, keptMs: WAIT_MS });
    t.teardown(close);
    await store.enqueue([task('a', { idempotencyKey: 'k' })]);
    await store.claim(claim('one', 1));
    await store.settle('one', [done('a')]);
    t.is((await store.task('a'))?.state, 'done');
    await pass(WAIT_MS * 1.2);
    t.is(await store.task('a'), null);
    t.deepEqual(await store.results('mcp', 10, null), []);
    t.deepEqual(told(await store.enqueue([task('b', { idempotencyKey: 'k' })])), [['b', 'queued', false]]);
  });
}
