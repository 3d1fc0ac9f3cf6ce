import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { type Json, MemoryMeshStore, type Pictures, Recorder } from '../../orchestrator/registry/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** More than the gathering of changes, less than the renewal of a lease. */
const SOON_MS = 1000;
const LEASE_MS = 30_000;

function start() {
  const clock = new FakeClock();
  const store = new MemoryMeshStore({ clock });
  const now = {
    replicas: new Map<string, Json>(),
    sessions: new Map<string, Json>(),
    services: new Map<string, Json>(),
    tools: new Map<string, Json>(),
    breakers: new Map<string, Json>(),
  };
  const pictures: Pictures = {
    replicas: () => now.replicas,
    sessions: () => now.sessions,
    services: () => now.services,
    tools: () => now.tools,
    breakers: () => now.breakers,
  };
  const troubles: string[] = [];
  const recorder = new Recorder({
    store,
    holder: 'this',
    pictures,
    clock,
    onTrouble: (message) => troubles.push(message),
  });
  /** Lets time pass, and the write that is due then come to its end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settled();
  };
  const replicas = async () => Object.fromEntries((await store.held('replicas')).get('this') ?? []);
  return { store, now, troubles, recorder, pass, replicas };
}

/** The memory store answers within the turn; a few turns are more than a write needs. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('what there is is written soon after a touch, changes and ends too', async (t) => {
  const { now, recorder, pass, replicas } = start();
  now.replicas = new Map([
    ['a-1', { state: 'ready' }],
    ['a-2', { state: 'ready' }],
  ]);
  recorder.touch();
  t.deepEqual(await replicas(), {});
  await pass(SOON_MS);
  t.deepEqual(await replicas(), { 'a-1': { state: 'ready' }, 'a-2': { state: 'ready' } });
  now.replicas = new Map([['a-1', { state: 'failed' }]]);
  recorder.touch();
  await pass(SOON_MS);
  t.deepEqual(await replicas(), { 'a-1': { state: 'failed' } });
});

test('a lease is renewed without any change, and runs out when nobody renews it', async (t) => {
  const { now, recorder, pass, replicas } = start();
  now.replicas = new Map([['a-1', {}]]);
  recorder.touch();
  await pass(SOON_MS);
  for (let step = 0; step < 10; step++) await pass(LEASE_MS / 3);
  t.deepEqual(await replicas(), { 'a-1': {} });
});

test('after a polite end nothing is held, and what is kept stays', async (t) => {
  const { store, now, recorder, pass, replicas } = start();
  now.replicas = new Map([['a-1', {}]]);
  now.tools = new Map([['a', { tools: [] }]]);
  recorder.touch();
  await pass(SOON_MS);
  await recorder.close();
  recorder.touch();
  await pass(LEASE_MS);
  t.deepEqual(await replicas(), {});
  t.deepEqual(await store.kept('tools'), new Map([['a', { tools: [] }]]));
});

for (const kind of ['tools', 'breakers'] as const) {
  test(`${kind} that are not known any more stay known to the registry`, async (t) => {
    const { store, now, recorder, pass } = start();
    now[kind] = new Map([['a', 1]]);
    recorder.touch();
    await pass(SOON_MS);
    now[kind] = new Map([['b', 2]]);
    recorder.touch();
    await pass(SOON_MS);
    t.deepEqual(Object.fromEntries(await store.kept(kind)), { a: 1, b: 2 });
  });
}

test('when the store was away, what was missed is written once it is back; the trouble is told once', async (t) => {
  const { store, now, troubles, recorder, pass, replicas } = start();
  now.replicas = new Map([['a-1', 1]]);
  recorder.touch();
  await pass(SOON_MS);
  const hold = store.hold.bind(store);
  store.hold = async () => {
    throw new GantryError('registry_unavailable', 'away');
  };
  now.replicas = new Map([['a-2', 2]]);
  recorder.touch();
  await pass(SOON_MS);
  await pass(LEASE_MS / 3);
  t.is(troubles.length, 1);
  store.hold = hold;
  await pass(LEASE_MS / 3);
  t.deepEqual(await replicas(), { 'a-2': 2 });
});

test('when the store has lost everything, the whole is written again', async (t) => {
  const { store, now, recorder, pass, replicas } = start();
  now.replicas = new Map([
    ['a-1', 1],
    ['a-2', 2],
  ]);
  recorder.touch();
  await pass(SOON_MS);
  await store.letGo('this');
  await pass(LEASE_MS / 3);
  t.deepEqual(await replicas(), { 'a-1': 1, 'a-2': 2 });
});
