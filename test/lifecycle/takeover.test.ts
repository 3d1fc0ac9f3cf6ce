import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import type { MeshOptions, ReplicaRecord } from '../../orchestrator/lifecycle/index.ts';
import { NO_MEMORY } from '../../orchestrator/lifecycle/mesh-memory.ts';
import { ChannelDirectories } from '../../orchestrator/replica/index.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { mcpServer } from './fake-server.ts';
import { rig, spec, untilReally } from './rig.ts';

const CALL = { callTimeoutMs: 1000, maxCallMs: 1000 };
const LEASE_MS = 30_000;

/** An engine whose containers have bridges, and a book: what outlives the starts of an orchestrator. */
async function world(t: ExecutionContext) {
  const root = await mkdtemp(join(tmpdir(), 'gantry-takeover-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const key = Buffer.alloc(32, 7);
  const directories = new ChannelDirectories({ root, engineRoot: root, owner: 'gantry', key });
  const engine = new FakeEngine({ programs: { echo: mcpServer } });
  const records = new Map<string, ReplicaRecord>();
  const book = {
    put: async (id: string, record: ReplicaRecord) => records.set(id, structuredClone(record)) !== undefined,
    remove: (id: string) => void records.delete(id),
  };
  const notes = new Map<string, unknown>();
  const note = (key: string, value: unknown): void =>
    void (value === null ? notes.delete(key) : notes.set(key, value));
  const log = { note, accompany: () => () => {}, unwritten: null };
  const starts: ReturnType<typeof rig>[] = [];
  t.teardown(async () => {
    for (const { mesh } of starts) await mesh.shutdown(0);
    for (const { id } of await engine.list('gantry')) await engine.remove(id);
  });
  /** One start of the orchestrator; it does not listen to the engine yet. */
  const start = async (specs: readonly ServerSpec[], overrides: Pick<MeshOptions, 'memory'> = {}) => {
    const left = { book, left: new Map(records), log, notes: new Map(notes), key };
    const one = rig({
      engine,
      epoch: `start-${starts.length}`,
      sockets: { directories, leaseMs: LEASE_MS },
      left,
      opened: false,
      prepareImage: async ({ source }) => {
        if (source.kind !== 'image') throw new Error('only images here');
        return { tag: source.image, command: null, resolved: null, hasBridge: true };
      },
      ...overrides,
    });
    starts.push(one);
    await one.mesh.apply(specs);
    return one;
  };
  const ids = async (): Promise<readonly string[]> =>
    (await engine.list('gantry')).map(({ id }) => id).sort();
  return { engine, records, notes, start, ids };
}

const isReady = (one: ReturnType<typeof rig>, name: string): boolean => {
  const { state, replicas } = one.mesh.get(name);
  return state === 'ready' && replicas.ready === replicas.desired;
};
const whole = (one: ReturnType<typeof rig>) => (): boolean =>
  one.mesh.list().every(({ name }) => isReady(one, name));

test('standing replicas of a shared server keep their containers and are not greeted again', async (t) => {
  const { engine, start, ids } = await world(t);
  const definition = spec('one', { sharing: 'shared', replicas: 2 });
  const first = await start([definition]);
  first.mesh.open();
  await untilReally('it is ready', whole(first));
  const before = await ids();
  await first.mesh.shutdown(1000);
  t.deepEqual(await ids(), before);
  const next = await start([definition]);
  next.mesh.open();
  await untilReally('it is ready again', whole(next));
  t.deepEqual(await ids(), before);
  t.is(engine.created.length, 2);
  const [replica] = next.mesh.standing('one');
  t.is(replica?.handshake?.serverInfo.name, 'fake');
  t.true((await replica?.call('ping', undefined, CALL))?.ok);
  await next.mesh.remove('one');
  t.deepEqual(await ids(), [], 'what is taken over ends like any other');
});

test('what is defined otherwise, stopped or not wanted any more is removed', async (t) => {
  const { start, ids, records } = await world(t);
  const names = ['changed', 'stopped', 'gone', 'smaller'];
  const shared = (name: string, overrides: Partial<ServerSpec> = {}): ServerSpec =>
    spec(name, { sharing: 'shared', env: { SECRET: 'old' }, ...overrides });
  const first = await start([
    ...names.slice(0, 3).map((name) => shared(name)),
    shared('smaller', { replicas: 2 }),
  ]);
  first.mesh.open();
  await untilReally('all are ready', whole(first));
  t.false(JSON.stringify([...records]).includes('old'), 'no value of a variable is written down');
  const before = await ids();
  await first.mesh.shutdown(1000);
  t.is((await ids()).length, 5);
  const memory = { ...NO_MEMORY, stopped: (name: string) => name === 'stopped' };
  const next = await start(
    [shared('changed', { env: { SECRET: 'new' } }), shared('stopped'), shared('smaller')],
    { memory },
  );
  next.mesh.open();
  await untilReally('one is another, one the same', async () => {
    next.clock.advance(1000);
    const now = await ids();
    return now.length === 2 && now.filter((id) => before.includes(id)).length === 1;
  });
  t.is(records.size, 2);
});

test('the replica of a session is there for whoever asks for it, and goes where nobody does', async (t) => {
  const { start, ids } = await world(t);
  const definition = spec('one', { replicas: 0 });
  const first = await start([definition]);
  first.mesh.open();
  const opened = [];
  for (const principal of ['alice', 'bob']) {
    const replica = await first.mesh.openForSession('one', principal);
    await replica.greet(1000);
    await first.mesh.keep(replica);
    opened.push(replica);
  }
  const unkept = await first.mesh.openForSession('one', 'carol').catch(() => null);
  t.is(unkept, null, 'there are two places');
  const [alice, bob] = opened.map(({ identity }) => identity);
  await first.mesh.shutdown(1000);
  const next = await start([definition]);
  const found = next.mesh.adopted('one', alice?.id ?? '');
  const stranger = next.mesh.adopted('other', bob?.id ?? '');
  next.mesh.open();
  t.is(await stranger, null, 'a replica of one server is none of another');
  const replica = await found;
  t.true(await replica?.lasting.served);
  t.is(replica?.identity.containerId, alice?.containerId);
  t.true((await replica?.call('ping', undefined, CALL))?.ok);
  await untilReally('the other is gone', async () => (await ids()).length === 1);
  if (replica !== null && replica !== undefined) await next.mesh.release(replica, 'ended');
  t.deepEqual(await ids(), []);
});

test('a process that somebody has used is theirs after the restart too; an unused one is made anew', async (t) => {
  const { start, ids } = await world(t);
  const definition = spec('one', { sharing: 'principal', replicas: 2 });
  const first = await start([definition]);
  first.mesh.open();
  await untilReally('it is ready', whole(first));
  const { containerId } = (await first.mesh.heldFor('one', 'alice')).identity;
  await first.mesh.shutdown(1000);
  t.deepEqual(await ids(), [containerId]);
  const next = await start([definition]);
  next.mesh.open();
  await untilReally('it is ready again', whole(next));
  t.not((await next.mesh.heldFor('one', 'bob')).identity.containerId, containerId);
  t.is((await next.mesh.heldFor('one', 'alice')).identity.containerId, containerId);
});

test('a process that does not come back is replaced, or its session is over', async (t) => {
  const { engine, start, ids } = await world(t);
  const definitions = [spec('one', { sharing: 'shared' }), spec('two', { replicas: 0 })];
  const first = await start(definitions);
  first.mesh.open();
  await untilReally('it is ready', () => isReady(first, 'one'));
  const session = await first.mesh.openForSession('two', 'alice');
  await session.greet(1000);
  await first.mesh.keep(session);
  const before = await ids();
  await first.mesh.shutdown(1000);
  for (const id of before) engine.mute(id);
  const next = await start(definitions);
  const found = next.mesh.adopted('two', session.identity.id);
  next.mesh.open();
  const replica = await found;
  await untilReally('another serves', async () => {
    next.clock.advance(1000);
    return isReady(next, 'one');
  });
  t.false(await replica?.lasting.served);
  t.deepEqual(
    (await ids()).filter((id) => before.includes(id)),
    [],
  );
});

test('how far a process was heard is known until its container goes, and of others nothing is kept', async (t) => {
  const { start, ids, notes } = await world(t);
  const definition = spec('one', { sharing: 'shared' });
  const first = await start([definition]);
  first.mesh.open();
  await untilReally('it is ready', whole(first));
  const [containerId] = await ids();
  await first.mesh.shutdown(1000);
  notes.set(`heard/${containerId}`, 0).set('heard/of-no-container', 7).set('stream/1', { session: 's' });
  const next = await start([definition]);
  next.mesh.open();
  await untilReally('it is ready again', whole(next));
  t.deepEqual([...notes.keys()], [`heard/${containerId}`, 'stream/1']);
  await next.mesh.remove('one');
  t.deepEqual([...notes.keys()], ['stream/1']);
});

test('how far a process was heard says nothing of the next one in the same container', async (t) => {
  const { start, ids, notes } = await world(t);
  const first = await start([spec('one', { sharing: 'shared' })]);
  first.mesh.open();
  await untilReally('it is ready', whole(first));
  const [containerId = ''] = await ids();
  notes.set(`heard/${containerId}`, 1_000_000);
  await first.mesh.containers.act(containerId, 'stop');
  await first.mesh.containers.act(containerId, 'start');
  await untilReally('it is ready again', whole(first));
  t.deepEqual(await ids(), [containerId]);
  t.deepEqual([...notes], []);
});

test('what was done to one container does not outlive the orchestrator: stopped and paused ones serve again', async (t) => {
  const { engine, start, ids } = await world(t);
  const definition = spec('one', { sharing: 'shared', replicas: 2 });
  const again = async (): Promise<ReturnType<typeof rig>> => {
    const one = await start([definition]);
    one.mesh.open();
    await untilReally('it is ready', whole(one));
    const states = (await engine.list('gantry')).map(({ state }) => state);
    t.deepEqual(states, ['running', 'running']);
    return one;
  };
  const first = await again();
  const [paused = '', stopped = ''] = await ids();
  await first.mesh.containers.act(paused, 'pause');
  await first.mesh.containers.act(stopped, 'stop');
  await first.mesh.shutdown(1000);
  const second = await again();
  const both = await ids();
  await second.mesh.shutdown(1000);
  await engine.pause(both[0] ?? ''); // as a kill of the orchestrator leaves one that was paused
  await again();
  t.deepEqual(await ids(), both);
});
