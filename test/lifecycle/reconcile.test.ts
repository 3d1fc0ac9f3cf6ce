import test from 'ava';
import { type ContainerSpec, EngineError, type EngineEvent } from '../../orchestrator/engine/index.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { EPOCH, OWNER, rig, settle, spec, until } from './rig.ts';

function left(name: string, epoch: string, owner = OWNER): ContainerSpec {
  return containerSpec({ name, image: 'echo', labels: { 'gantry.owner': owner, 'gantry.epoch': epoch } });
}

test('what an earlier start left behind is removed before anything is started', async (t) => {
  const all = rig({ opened: false });
  await all.engine.create(left('old', 'before'));
  const foreign = await all.engine.create(left('foreign', 'before', 'somebody-else'));
  await all.mesh.apply([spec('one')]);
  all.mesh.open();
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.deepEqual(
    (await all.engine.list(OWNER)).map((facts) => facts.labels['gantry.replica']),
    ['one-1'],
  );
  t.not(await all.engine.inspect(foreign), null);
});

test('a stray of this start is removed after its grace period, and nothing that is held', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const stray = await all.engine.create(left('stray', EPOCH));
  all.clock.advance(30_000);
  await settle();
  t.not(await all.engine.inspect(stray), null, 'its creation may just not have been answered');
  all.clock.advance(10_000);
  await until('it is gone', async () => (await all.engine.inspect(stray)) === null);
  t.is(all.mesh.get('one').replicas.ready, 1);
  t.is(all.engine.created.length, 2);
});

test('a leftover that cannot be removed is told and tried again, and keeps nothing from starting', async (t) => {
  const all = rig({ opened: false });
  const stuck = await all.engine.create(left('stuck', 'before'));
  const other = await all.engine.create(left('other', 'before'));
  const remove = all.engine.remove.bind(all.engine);
  all.engine.remove = async (id) => {
    if (id === stuck) throw new EngineError('conflict', 'device or resource busy');
    await remove(id);
  };
  await all.mesh.apply([spec('one')]);
  all.mesh.open();
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.is(await all.engine.inspect(other), null);
  t.true(all.stated.some((fact) => fact.type === 'trouble' && /resource busy/.test(fact.message)));
  all.engine.remove = remove;
  all.clock.advance(30_000);
  await until('it is gone after all', async () => (await all.engine.inspect(stuck)) === null);
});

test('what only inherited the owner from its image, such as a step of a build, is left alone', async (t) => {
  const all = rig();
  const step = await all.engine.create({ ...left('step', EPOCH), labels: { 'gantry.owner': OWNER } });
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  all.clock.advance(30_000);
  await settle();
  all.clock.advance(10_000);
  await settle();
  t.not(await all.engine.inspect(step), null);
});

test('a step of a build that was cut off by the end of an earlier start is removed', async (t) => {
  const all = rig({ opened: false });
  const step = await all.engine.create({ ...left('step', 'before'), labels: { 'gantry.owner': OWNER } });
  await all.engine.start(step);
  await all.engine.kill(step);
  await all.mesh.apply([spec('one')]);
  all.mesh.open();
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.is(await all.engine.inspect(step), null);
});

test('a list made before a restart does not end the process that was started after it', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const [container] = await all.mesh.containers.list();
  await all.mesh.containers.act(container?.id ?? '', 'stop');
  const list = all.engine.list.bind(all.engine);
  const answer = Promise.withResolvers<void>();
  all.engine.list = async (owner) => {
    const listed = await list(owner);
    await answer.promise;
    return listed;
  };
  all.clock.advance(30_000);
  await settle();
  await all.mesh.containers.act(container?.id ?? '', 'start');
  await until('it is ready again', () => all.mesh.get('one').state === 'ready');
  answer.resolve();
  await settle();
  all.clock.advance(5000);
  await settle();
  t.like(await all.engine.inspect(container?.id ?? ''), { state: 'running' });
  t.is(all.mesh.get('one').state, 'ready');
});

/** A mesh with one server that is ready, and a way to tell it what the engine would. */
async function overheard() {
  const all = rig({ opened: false });
  const events = all.engine.events.bind(all.engine);
  let listening: (event: EngineEvent) => void = () => {};
  all.engine.events = (listener) => {
    listening = listener;
    return events(listener);
  };
  all.mesh.open();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  return { ...all, tell: (event: EngineEvent) => listening(event) };
}

test('a word of death about a container that runs is not believed', async (t) => {
  const all = await overheard();
  const { tell } = all;
  const [container] = await all.mesh.containers.list();
  for (let replay = 0; replay < 2; replay++) {
    tell({ type: 'die', containerId: container?.id ?? '' });
    await settle();
    all.clock.advance(5000);
    await settle();
  }
  t.is(all.mesh.get('one').state, 'ready');
  t.is(all.engine.created.length, 1);
  all.engine.process(container?.id ?? '').exit(1);
  await until('a real death is still noticed', () => all.engine.created.length === 2);
});

test('a late word about the process before does not end the one that is just being started', async (t) => {
  const all = await overheard();
  const { tell } = all;
  const [container] = await all.mesh.containers.list();
  const id = container?.id ?? '';
  await all.mesh.containers.act(id, 'stop');
  const start = all.engine.start.bind(all.engine);
  all.engine.start = async (containerId) => {
    tell({ type: 'die', containerId });
    await settle();
    all.clock.advance(5000);
    await settle();
    await start(containerId);
  };
  await all.mesh.containers.act(id, 'start');
  await until('it is ready again', () => all.mesh.get('one').state === 'ready');
  await settle();
  all.clock.advance(5000);
  await settle();
  t.is(all.mesh.get('one').state, 'ready');
  t.is((await all.mesh.containers.list())[0]?.id, id);
});

test('a container that vanished without a word is noticed and replaced', async (t) => {
  const all = rig();
  all.engine.events = () => ({ close: () => {} });
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const [before] = await all.mesh.containers.list();
  const list = all.engine.list.bind(all.engine);
  const inspect = all.engine.inspect.bind(all.engine);
  all.engine.list = async (owner) => (await list(owner)).filter(({ id }) => id !== before?.id);
  all.engine.inspect = async (id) => (id === before?.id ? null : await inspect(id));
  all.clock.advance(30_000);
  await settle();
  all.clock.advance(5000);
  await until('another is ready', async () => {
    const [after] = await all.mesh.containers.list();
    return after !== undefined && after.id !== before?.id;
  });
  await until('it is ready again', () => all.mesh.get('one').state === 'ready');
  t.is(all.engine.created.length, 2);
});

test('while the engine is away servers say so, and all come back with it', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', { replicas: 2 }), spec('two')]);
  await until('all are ready', () =>
    all.mesh.list().every((view) => view.replicas.ready === view.replicas.desired),
  );
  all.engine.goDown();
  await settle();
  all.clock.advance(5000);
  await until('the reason is the engine', () =>
    all.mesh.list().every((view) => view.state === 'failed' && view.reason?.code === 'engine_unavailable'),
  );
  t.is(engineState(all), 'down');
  all.engine.comeBack();
  all.clock.advance(2000);
  await until('all are ready again', () => {
    all.clock.advance(100);
    return all.mesh.list().every((view) => view.replicas.ready === view.replicas.desired);
  });
  t.is(engineState(all), 'up');
  await until('nothing of before is left', async () => {
    all.clock.advance(1000);
    return (await all.engine.list(OWNER)).length === 3;
  });
});

function engineState({ stated }: ReturnType<typeof rig>): string | undefined {
  return stated.findLast((fact) => fact.type === 'engine.state')?.state;
}
