import test from 'ava';
import { GantryError, type Offers } from '../../orchestrator/kernel/index.ts';
import { LearnedOffers, MemoryMeshStore } from '../../orchestrator/registry/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const NOTHING = { tools: [], prompts: [], resources: [], resourceTemplates: [], instructions: null };

function offering(tool: string): Offers {
  return { ...NOTHING, tools: [{ name: tool }] };
}

/** The write is under way by then: the memory store answers within the turn. */
const written = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function restarted(store: MemoryMeshStore): Promise<LearnedOffers> {
  const learned = new LearnedOffers(store, () => {});
  await learned.load();
  return learned;
}

test('what was learned outlives a restart, for its server, its audience and its containers', async (t) => {
  const store = new MemoryMeshStore({ clock: new FakeClock() });
  const before = new LearnedOffers(store, () => {});
  before.put('a', 'sampling', 'made-1', offering('x'));
  await written();
  const after = await restarted(store);
  t.deepEqual(after.get('a', 'sampling', 'made-1'), offering('x'));
  t.is(after.get('a', 'sampling', 'made-2'), null);
  t.is(after.get('a', 'roots', 'made-1'), null);
  t.is(after.get('b', 'sampling', 'made-1'), null);
  const [key = ''] = (await store.kept('offers')).keys();
  t.false(key.includes('sampling'), 'an audience may hold the name of a principal');
});

test('only so many audiences of a server are remembered, the newest', async (t) => {
  const store = new MemoryMeshStore({ clock: new FakeClock() });
  const learned = new LearnedOffers(store, () => {});
  learned.put('b', '0', 'made', offering('of-b'));
  for (let n = 0; n < 20; n++) learned.put('a', String(n), 'made', offering(`x${n}`));
  await written();
  const after = await restarted(store);
  t.is((await store.kept('offers')).size, 17);
  t.is(after.get('a', '3', 'made'), null);
  t.deepEqual(after.get('a', '4', 'made'), offering('x4'));
  t.deepEqual(after.get('b', '0', 'made'), offering('of-b'));
});

test('servers that are gone are forgotten', async (t) => {
  const store = new MemoryMeshStore({ clock: new FakeClock() });
  const learned = new LearnedOffers(store, () => {});
  learned.put('a', '0', 'made', offering('x'));
  learned.put('b', '0', 'made', offering('y'));
  learned.keepOnly(new Set(['b']));
  await written();
  t.is(learned.get('a', '0', 'made'), null);
  t.is((await store.kept('offers')).size, 1);
});

test('while the store is away it is remembered here, and somebody is told; a record of another shape counts for nothing', async (t) => {
  const store = new MemoryMeshStore({ clock: new FakeClock() });
  await store.keep('offers', { put: new Map([['a:x', { offers: 7 }]]), remove: [] });
  const told: string[] = [];
  const learned = new LearnedOffers(store, (message) => told.push(message));
  await learned.load();
  store.keep = async () => {
    throw new GantryError('registry_unavailable', 'away');
  };
  learned.put('a', '0', 'made', offering('x'));
  await written();
  t.deepEqual(learned.get('a', '0', 'made'), offering('x'));
  t.deepEqual(told, ['What a server offers was not written down: away']);
});
