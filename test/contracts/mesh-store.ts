import type { TestFn } from 'ava';
import type { Change, MeshStore } from '../../orchestrator/registry/index.ts';

export type MeshStoreUnderTest = {
  readonly name: string;
  open(): Promise<{
    readonly store: MeshStore;
    /** Lets so much time pass, for the store. */
    readonly pass: (ms: number) => Promise<void>;
    readonly close: () => Promise<void>;
  }>;
};

/** What was seen, and what should have been. */
type Seen = readonly [seen: unknown, expected: unknown];
type Case = (store: MeshStore, pass: (ms: number) => Promise<void>) => Promise<Seen[]>;

const LEASE_MS = 60_000;
/** Longer than two writes may take that wait for a disk. */
const SHORT_LEASE_MS = 1000;

function put(records: Readonly<Record<string, unknown>>, remove: readonly string[] = []): Change {
  return { put: new Map(Object.entries(records)), remove };
}

/** What every MeshStore promises; the same cases for the real adapter and its twin. */
const cases = new Map<string, Case>();

cases.set('a new store remembers nothing', async (store) => [
  [await store.kept('intents'), new Map()],
  [await store.held('replicas'), new Map()],
]);

cases.set('what is kept comes back as it was, of its kind alone', async (store) => {
  const value = { stopped: true, n: 1.5, text: 'äöü 🏗 "\\', list: [null, { a: [] }] };
  await store.keep('intents', put({ a: value, constructor: 7 }));
  return [
    [Object.fromEntries(await store.kept('intents')), { a: value, constructor: 7 }],
    [await store.kept('tools'), new Map()],
  ];
});

cases.set('one change puts and removes', async (store) => {
  await store.keep('tools', put({ a: 1, b: 2 }));
  await store.keep('tools', put({ b: 3, c: 4 }, ['a', 'never-there']));
  await store.keep('tools', put({}));
  return [[Object.fromEntries(await store.kept('tools')), { b: 3, c: 4 }]];
});

cases.set('what places have been through is kept like anything else, and beside it', async (store) => {
  const waiting = { at: 1_700_000_000_123, reason: { code: 'crash_loop', stderr: ['é'] }, failed: true };
  await store.keep('breakers', put({ a: { places: { 1: { waiting } } }, b: 1 }));
  await store.keep('tools', put({ a: [] }));
  await store.keep('breakers', put({}, ['b']));
  return [
    [Object.fromEntries(await store.kept('breakers')), { a: { places: { 1: { waiting } } } }],
    [Object.fromEntries(await store.kept('tools')), { a: [] }],
  ];
});

cases.set('what callers change afterwards is not what is stored', async (store) => {
  const value = { list: [1] };
  await store.keep('intents', put({ a: value }));
  value.list.push(2);
  return [[(await store.kept('intents')).get('a'), { list: [1] }]];
});

cases.set('holders do not touch one another', async (store) => {
  const first = await store.hold('replicas', 'one', put({ a: 1, b: 2 }), LEASE_MS);
  await store.hold('replicas', 'two', put({ a: 3 }), LEASE_MS);
  await store.hold('sessions', 'two', put({ s: 4 }), LEASE_MS);
  const again = await store.hold('replicas', 'one', put({ c: 5 }, ['b']), LEASE_MS);
  const before = await store.held('replicas');
  await store.letGo('one');
  return [
    [first, false],
    [again, true],
    [Object.fromEntries(before.get('one') ?? []), { a: 1, c: 5 }],
    [Object.fromEntries(before.get('two') ?? []), { a: 3 }],
    [[...(await store.held('replicas')).keys()], ['two']],
    [[...(await store.held('sessions')).keys()], ['two']],
  ];
});

cases.set('a lease that runs out takes its records along, and the holder is told', async (store, pass) => {
  await store.hold('replicas', 'short', put({ a: 1 }), SHORT_LEASE_MS);
  await store.hold('replicas', 'long', put({ b: 2 }), LEASE_MS);
  await pass(SHORT_LEASE_MS * 2);
  const after = await store.held('replicas');
  const existed = await store.hold('replicas', 'short', put({ c: 3 }), LEASE_MS);
  return [
    [[...after.keys()], ['long']],
    [existed, false],
    [Object.fromEntries((await store.held('replicas')).get('short') ?? []), { c: 3 }],
  ];
});

cases.set('a lease that is made longer does not run out', async (store, pass) => {
  await store.hold('services', 'one', put({ redis: 'healthy' }), SHORT_LEASE_MS);
  const existed = await store.hold('services', 'one', put({}), LEASE_MS);
  await pass(SHORT_LEASE_MS * 2);
  return [
    [existed, true],
    [(await store.held('services')).get('one'), new Map([['redis', 'healthy']])],
  ];
});

export function meshStoreContract(test: TestFn, underTest: MeshStoreUnderTest): void {
  for (const [title, run] of cases) {
    test(`mesh store, ${underTest.name}: ${title}`, async (t) => {
      const { store, pass, close } = await underTest.open();
      t.teardown(close);
      for (const [seen, expected] of await run(store, pass)) t.deepEqual(seen, expected);
    });
  }
}
