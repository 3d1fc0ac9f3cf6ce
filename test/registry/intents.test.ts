import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { Intents, MemoryMeshStore } from '../../orchestrator/registry/index.ts';

/** A store that can be away, like Redis. */
class Leaving extends MemoryMeshStore {
  away = false;

  override async kept(kind: Parameters<MemoryMeshStore['kept']>[0]) {
    this.#check();
    return await super.kept(kind);
  }

  override async keep(...args: Parameters<MemoryMeshStore['keep']>) {
    this.#check();
    await super.keep(...args);
  }

  #check(): void {
    if (this.away) throw new GantryError('registry_unavailable', 'away');
  }
}

async function after(store: MemoryMeshStore): Promise<Intents> {
  const intents = new Intents(store);
  await intents.load();
  return intents;
}

test('nothing asked: a server runs with its configured replicas', async (t) => {
  const intents = await after(new MemoryMeshStore());
  t.deepEqual([intents.stopped('a'), intents.replicas('a', 2)], [false, 2]);
});

test('a stop and a scale outlive the process, and a start takes back the stop alone', async (t) => {
  const store = new MemoryMeshStore();
  const first = await after(store);
  await first.stop('a');
  await first.scale('a', 5, 2);
  const second = await after(store);
  t.deepEqual([second.stopped('a'), second.replicas('a', 2)], [true, 5]);
  await second.start('a');
  const third = await after(store);
  t.deepEqual([third.stopped('a'), third.replicas('a', 2)], [false, 5]);
});

test('a changed configuration overrules a scale', async (t) => {
  const store = new MemoryMeshStore();
  await (await after(store)).scale('a', 5, 2);
  t.is((await after(store)).replicas('a', 3), 3);
});

test('asking for what is configured leaves no record', async (t) => {
  const store = new MemoryMeshStore();
  const intents = await after(store);
  await intents.scale('a', 5, 2);
  await intents.scale('a', 2, 2);
  await intents.stop('b');
  await intents.start('b');
  t.is((await store.kept('intents')).size, 0);
});

test('while the store is away a change is refused and nothing has changed', async (t) => {
  const store = new Leaving();
  const intents = await after(store);
  store.away = true;
  await t.throwsAsync(intents.stop('a'), { name: 'GantryError', message: 'away' });
  await t.throwsAsync(intents.scale('a', 3, 1), { name: 'GantryError' });
  t.deepEqual([intents.stopped('a'), intents.replicas('a', 1)], [false, 1]);
});

test('a store that was away at the start is read before the first change', async (t) => {
  const store = new Leaving();
  await (await after(store)).scale('a', 5, 2);
  store.away = true;
  const late = new Intents(store);
  await t.throwsAsync(late.stop('a'));
  store.away = false;
  await late.stop('a');
  t.is((await after(store)).replicas('a', 2), 5);
});

test('what is asked of one server at the same time is all remembered, here and in the store', async (t) => {
  const store = new MemoryMeshStore();
  const intents = await after(store);
  await Promise.all([intents.stop('a'), intents.scale('a', 5, 2)]);
  for (const one of [intents, await after(store)])
    t.deepEqual([one.stopped('a'), one.replicas('a', 2)], [true, 5]);
  await Promise.all([intents.stop('b'), intents.start('b')]);
  t.deepEqual([intents.stopped('b'), [...(await store.kept('intents')).keys()]], [false, ['a']]);
});

test('a reading that began before a change does not undo it', async (t) => {
  const store = new MemoryMeshStore();
  const intents = new Intents(store);
  const kept = store.kept.bind(store);
  const answered = Promise.withResolvers<void>();
  store.kept = async (kind) => {
    const records = await kept(kind);
    await answered.promise;
    return records;
  };
  const late = intents.load();
  store.kept = kept;
  await intents.stop('a');
  answered.resolve();
  await late;
  t.true(intents.stopped('a'));
});

test('what was asked of a server that is gone is forgotten', async (t) => {
  const store = new MemoryMeshStore();
  const intents = await after(store);
  await intents.stop('gone');
  await intents.stop('here');
  await intents.keepOnly(new Set(['here']));
  const next = await after(store);
  t.deepEqual([next.stopped('gone'), next.stopped('here')], [false, true]);
});

test('a record of another shape means nothing', async (t) => {
  const store = new MemoryMeshStore();
  const put = new Map<string, unknown>(
    Object.entries({ a: null, b: 'stop', c: { stopped: 1, scale: { replicas: '4' } } }),
  );
  await store.keep('intents', { put, remove: [] });
  const intents = await after(store);
  t.deepEqual(
    ['a', 'b', 'c'].map((name) => [intents.stopped(name), intents.replicas(name, 1)]),
    [
      [false, 1],
      [false, 1],
      [false, 1],
    ],
  );
});
