import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

async function oneReady(overrides = {}) {
  const all = rig();
  await all.mesh.apply([spec('one', overrides)]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const [container] = await all.mesh.containers.list();
  if (container === undefined) throw new Error('no container');
  return { ...all, container };
}

test('kill is a fault: the pool replaces the container, and the new one says how the old one ended', async (t) => {
  const { mesh, container } = await oneReady();
  const killed = await mesh.containers.act(container.id, 'kill');
  t.like(killed, { id: container.id, state: 'failed' });
  t.like(killed.exit, { reason: 'killed', code: 137 });
  await until('another is ready', async () => {
    const [next] = await mesh.containers.list();
    return next !== undefined && next.id !== container.id && next.state === 'ready';
  });
  const [next] = await mesh.containers.list();
  t.like(next, { restarts: 1, generation: 2, replica: container.replica });
  t.is(next?.exit?.reason, 'killed');
});

test('running out of memory is told apart from a signal, and stays readable on the next container', async (t) => {
  const { mesh, engine, container, stated } = await oneReady();
  engine.process(container.id).outOfMemory();
  await until('another is ready', async () => {
    const [next] = await mesh.containers.list();
    return next?.id !== container.id && next?.state === 'ready';
  });
  const [next] = await mesh.containers.list();
  t.like(next?.exit, { reason: 'oom', code: 137 });
  const failed = stated.find((fact) => fact.type === 'replica.state' && fact.state === 'failed');
  t.is(failed?.type === 'replica.state' ? failed.reason?.code : null, 'oom');
});

test('a call in flight ends with the reason of the death', async (t) => {
  const { mesh, engine, container } = await oneReady();
  const replica = await mesh.heldFor('one', 'anonymous');
  const call = replica.call('tools/call', {}, { callTimeoutMs: 60_000, maxCallMs: 60_000 });
  const failure = t.throwsAsync(async () => call, { instanceOf: GantryError });
  engine.process(container.id).outOfMemory();
  t.like((await failure)?.detail, { reason: 'oom', exitCode: 137, mayHaveRun: true });
});

test('stop is intent: the container stays down until it is started, and keeps its id', async (t) => {
  const { mesh, engine, clock, container } = await oneReady();
  const stopped = await mesh.containers.act(container.id.slice(0, 12), 'stop');
  t.is(stopped.state, 'stopped');
  t.is(mesh.get('one').state, 'stopped');
  clock.advance(600_000);
  await settle();
  t.is(engine.created.length, 1);
  t.is((await engine.list(OWNER))[0]?.state, 'exited');
  for (const verb of ['stop', 'kill', 'pause', 'resume'] as const) {
    await t.throwsAsync(mesh.containers.act(container.id, verb), { message: new RegExp(`cannot ${verb}`) });
  }
  await mesh.containers.act(container.id, 'start');
  await until('it is ready again', () => mesh.get('one').state === 'ready');
  const [again] = await mesh.containers.list();
  t.is(again?.id, container.id);
  t.is(again?.state, 'ready');
});

test('restart ends the process and starts it in the same container', async (t) => {
  const { mesh, container } = await oneReady();
  await mesh.containers.act(container.id, 'restart');
  await until('it is ready again', () => mesh.get('one').state === 'ready');
  t.is((await mesh.containers.list())[0]?.id, container.id);
});

test('pause is intent too, and only what is paused can be resumed', async (t) => {
  const { mesh, container } = await oneReady();
  await t.throwsAsync(mesh.containers.act(container.id, 'resume'), { message: /not paused/ });
  t.is((await mesh.containers.act(container.id, 'pause')).state, 'paused');
  t.is(mesh.get('one').state, 'paused');
  await t.throwsAsync(mesh.heldFor('one', 'anonymous'), { message: /is paused/ });
  t.is((await mesh.containers.act(container.id, 'resume')).state, 'ready');
  t.is(mesh.get('one').state, 'ready');
});

test('a container is found by 12 characters and more of its id, and by nothing shorter', async (t) => {
  const { mesh, container } = await oneReady();
  t.is((await mesh.containers.get(container.id.slice(0, 12))).id, container.id);
  for (const id of [container.id.slice(0, 11), 'f'.repeat(64), '']) {
    await t.throwsAsync(mesh.containers.get(id), { instanceOf: GantryError, message: /no container/ });
  }
});

test('numbers of a container that has just gone are answered as not found', async (t) => {
  const { mesh, engine, container } = await oneReady();
  engine.stats = async () => {
    throw new EngineError('not_found', 'There is no such container.');
  };
  const error = await t.throwsAsync<GantryError>(mesh.containers.stats(container.id), {
    instanceOf: GantryError,
  });
  t.is(error?.code, 'container_not_found');
});

test('stderr can be read and followed until the process ends', async (t) => {
  const { mesh, engine, container } = await oneReady();
  const io = engine.process(container.id);
  io.stderr('first\n');
  await settle();
  const logs = await mesh.containers.logs(container.id);
  t.deepEqual(
    logs.lines.map((entry) => entry.line),
    ['first'],
  );
  const followed: string[] = [];
  const reading = (async () => {
    for await (const { line } of logs.follow(new AbortController().signal)) followed.push(line);
  })();
  io.stderr('second\nthird\n');
  io.exit(0);
  await reading;
  t.deepEqual(followed, ['second', 'third']);
});

test('the verbs on a session replica end it, and restart is refused', async (t) => {
  const { mesh, engine } = await oneReady();
  for (const verb of ['stop', 'kill'] as const) {
    const replica = await mesh.openForSession('one', 'alice');
    const { containerId } = replica.identity;
    await t.throwsAsync(mesh.containers.act(containerId, 'restart'), { message: /belongs to a session/ });
    await mesh.containers.act(containerId, verb);
    await replica.over;
    await until('its container is gone', async () => (await engine.list(OWNER)).length === 1);
    t.is(mesh.get('one').replicas.total, 1);
  }
});
