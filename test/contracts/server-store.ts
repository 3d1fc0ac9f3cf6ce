import type { TestFn } from 'ava';
import type { ServerStore } from '../../orchestrator/registry/index.ts';

export type StoreUnderTest = {
  readonly name: string;
  /** A store with nothing in it, seeing the time of `now`. */
  open(now: () => number): Promise<ServerStore>;
};

const entry = { npm: 'x@1.0.0', args: ['stdio'], env: { KEY: 'välue' }, resources: { memory: '64MiB' } };
const start = Date.parse('2026-01-01T00:00:00.000Z');

/** What was seen, and what should have been. */
type Seen = readonly [seen: unknown, expected: unknown];
type Case = (store: ServerStore, time: { ms: number }) => Promise<Seen[]>;

/** What every ServerStore promises; the same cases for the real adapter and its twin. */
const cases = new Map<string, Case>();

function define(title: string, run: Case): void {
  cases.set(title, run);
}

define('a new store is empty', async (store) => [[await store.list(), []]]);

define(
  'a server that was put is listed with its entry unchanged and the time of its making',
  async (store) => {
    const put = await store.put('a', entry);
    const expected = { name: 'a', entry, createdAt: '2026-01-01T00:00:00.000Z' };
    return [
      [put, expected],
      [await store.list(), [expected]],
    ];
  },
);

define('putting again replaces the entry and keeps the time of its making', async (store, time) => {
  await store.put('a', entry);
  time.ms += 5000;
  const put = await store.put('a', { image: 'x:1' });
  const expected = { name: 'a', entry: { image: 'x:1' }, createdAt: '2026-01-01T00:00:00.000Z' };
  return [
    [put, expected],
    [await store.list(), [expected]],
  ];
});

define('servers are listed oldest first, and by name within a millisecond', async (store, time) => {
  await store.put('z', entry);
  time.ms += 1;
  await store.put('c', entry);
  await store.put('b', entry);
  return [[(await store.list()).map(({ name }) => name), ['z', 'b', 'c']]];
});

define('names that mean something to JavaScript are names like any other', async (store) => {
  await store.put('constructor', entry);
  await store.putResolved('constructor', '1.0.0');
  return [
    [(await store.list()).map(({ name }) => name), ['constructor']],
    [await store.getResolved('constructor'), '1.0.0'],
    [await store.getResolved('valueOf'), null],
  ];
});

define('what a caller changes after a put does not reach the store', async (store) => {
  const mine = { args: ['a'] };
  await store.put('a', mine);
  mine.args.push('b');
  return [[(await store.list())[0]?.entry, { args: ['a'] }]];
});

define('deleting says whether there was one, and the next of that name is new', async (store, time) => {
  await store.put('a', entry);
  const first = await store.delete('a');
  const second = await store.delete('a');
  time.ms += 1000;
  const again = await store.put('a', entry);
  return [
    [first, true],
    [second, false],
    [again.createdAt, '2026-01-01T00:00:01.000Z'],
    [(await store.list()).length, 1],
  ];
});

define('a version that was never resolved is null', async (store) => [
  [await store.getResolved('npm:x'), null],
]);

define('the first resolved version wins', async (store) => [
  [await store.putResolved('npm:@a/x', '1.0.0'), '1.0.0'],
  [await store.putResolved('npm:@a/x', '2.0.0'), '1.0.0'],
  [await store.getResolved('npm:@a/x'), '1.0.0'],
  [await store.getResolved('pypi:@a/x'), null],
]);

define('two who resolve at once end up with the same version', async (store) => {
  const [a, b] = await Promise.all([
    store.putResolved('npm:x', '1.0.0'),
    store.putResolved('npm:x', '2.0.0'),
  ]);
  return [[a, b]];
});

define('many puts at once are all kept', async (store) => {
  const names = Array.from({ length: 50 }, (_, index) => `s-${index}`);
  await Promise.all(names.map((name) => store.put(name, { args: [name] })));
  const listed = await store.list();
  return [[listed.map(({ entry }) => (entry.args as string[])[0]).sort(), [...names].sort()]];
});

define('a ping is answered', async (store) => [[await store.ping(), undefined]]);

define('after close every call rejects with registry_unavailable, and close is fine twice', async (store) => {
  await store.close();
  await store.close();
  const calls = [
    () => store.list(),
    () => store.put('a', entry),
    () => store.delete('a'),
    () => store.getResolved('k'),
    () => store.putResolved('k', '1'),
    () => store.ping(),
  ];
  const codes = await Promise.all(
    calls.map((call) =>
      call().then(
        () => 'answered',
        (error) => error.code,
      ),
    ),
  );
  return [[codes, calls.map(() => 'registry_unavailable')]];
});

/** Runs every case against a store of its own, and prints how many there were. */
export function serverStoreContract(test: TestFn, subject: StoreUnderTest): void {
  for (const [title, run] of cases) {
    test(`${subject.name} store: ${title}`, async (t) => {
      const time = { ms: start };
      const store = await subject.open(() => time.ms);
      t.teardown(() => store.close());
      for (const [seen, expected] of await run(store, time)) t.deepEqual(seen, expected);
    });
  }
  test.after(`${subject.name} store: count of contract cases`, (t) => {
    t.log(`${cases.size} contract cases ran against the ${subject.name} store`);
  });
}
