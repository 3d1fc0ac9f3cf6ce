import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { Intents, MemoryMeshStore } from '../../orchestrator/registry/index.ts';
import { Remembered } from '../../orchestrator/remembered.ts';

const OFFERS = { tools: [{ name: 'x' }], prompts: [], resources: [], resourceTemplates: [] };

test('a change that comes before the store was read after an outage does not keep the rest from being read', async (t) => {
  const store = new MemoryMeshStore();
  await new Intents(store).stop('a');
  const offers = { made: 'm', ...OFFERS, instructions: null };
  await store.keep('tools', { put: new Map([['a', offers]]), remove: [] });
  const kept = store.kept.bind(store);
  store.kept = async () => {
    throw new GantryError('registry_unavailable', 'away');
  };
  const remembered = new Remembered(store, () => {});
  t.false(await remembered.load());
  store.kept = kept;
  await remembered.intents.scale('b', 3, 1);
  t.is(remembered.offers('a', 'm'), null);
  t.true(await remembered.load(), 'whoever asks carries out what was asked for before');
  t.true(remembered.stopped('a'));
  t.is(remembered.replicas('b', 1), 3);
  t.deepEqual(remembered.offers('a', 'm')?.tools, OFFERS.tools);
  t.false(await remembered.load(), 'once is enough');
});
