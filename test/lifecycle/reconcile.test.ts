import test from 'ava';
import type { ContainerSpec } from '../../orchestrator/engine/index.ts';
import { EPOCH, OWNER, rig, settle, spec, until } from './rig.ts';

function left(name: string, epoch: string, owner = OWNER): ContainerSpec {
  return {
    name,
    image: 'echo',
    command: null,
    args: [],
    env: {},
    labels: { 'gantry.owner': owner, 'gantry.epoch': epoch },
    limits: { memoryBytes: 2 ** 26, cpus: 1, pids: 64, nofile: 1024 },
    network: 'none',
    volume: null,
  };
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
  t.truthy(await all.engine.inspect(foreign));
});

test('a stray of this start is removed after its grace period, and nothing that is held', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const stray = await all.engine.create(left('stray', EPOCH));
  all.clock.advance(30_000);
  await settle();
  t.truthy(await all.engine.inspect(stray), 'its creation may just not have been answered');
  all.clock.advance(10_000);
  await until('it is gone', async () => (await all.engine.inspect(stray)) === null);
  t.is(all.mesh.get('one').replicas.ready, 1);
  t.is(all.engine.created.length, 2);
});

test('a container that vanished without a word is noticed and replaced', async (t) => {
  const all = rig();
  all.engine.events = () => ({ close: () => {} });
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const [before] = await all.mesh.containers.list();
  const listed = all.engine.list.bind(all.engine);
  all.engine.list = async () => [];
  all.clock.advance(30_000);
  await settle();
  all.engine.list = listed;
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
  t.false(all.mesh.engineIsUp);
  all.engine.comeBack();
  all.clock.advance(2000);
  await until('all are ready again', () => {
    all.clock.advance(100);
    return all.mesh.list().every((view) => view.replicas.ready === view.replicas.desired);
  });
  t.true(all.mesh.engineIsUp);
  await until('nothing of before is left', async () => {
    all.clock.advance(1000);
    return (await all.engine.list(OWNER)).length === 3;
  });
});
