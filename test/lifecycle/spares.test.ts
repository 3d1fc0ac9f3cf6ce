import test from 'ava';
import type { Fact, ServerSpec } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: { roots: {} },
  clientInfo: { name: 'client', version: '1' },
};
const OTHER = { ...HELLO, capabilities: {} };
const CALL = { callTimeoutMs: 1000, maxCallMs: 1000 };

function scaling(warm: number, max = 1): Pick<ServerSpec, 'scaling'> {
  return { scaling: { max, warm, targetInFlight: 4, scaleDownAfterMs: 300_000 } };
}

async function withSpares(warm: number, overrides: Partial<ServerSpec> = {}) {
  const all = rig();
  await all.mesh.apply([spec('one', { ...scaling(warm), ...overrides })]);
  await until('the spares wait', () => all.mesh.get('one').replicas.spare === warm);
  await until('its era is known', () => all.mesh.get('one').era !== null); // which took containers of its own
  const used = () => all.stated.flatMap((fact: Fact) => (fact.type === 'spare.used' ? [fact.outcome] : []));
  return { ...all, used };
}

test('a session gets a spare that was made before it, and another spare is made in its place', async (t) => {
  const { mesh, engine, used } = await withSpares(1);
  t.like(mesh.get('one').replicas, { desired: 1, ready: 1, total: 2, spare: 1 });
  const before = (await engine.list(OWNER)).map(({ id }) => id);
  const replica = await mesh.openForSession('one', 'alice', HELLO);
  t.true(before.includes(replica.identity.containerId), 'it was there before');
  t.is(replica.identity.heldBy, 'session');
  t.deepEqual(used(), ['started']);
  await until('there is a spare again', () => mesh.get('one').replicas.spare === 1);
  await mesh.release(replica, 'deleted');
  t.is((await engine.list(OWNER)).length, 2);
});

test('no spare is ever handed out twice', async (t) => {
  const { mesh } = await withSpares(2, { maxSessions: 20 });
  const opened = await Promise.all(
    Array.from({ length: 10 }, (_, client) => mesh.openForSession('one', `client-${client}`, HELLO)),
  );
  t.is(new Set(opened.map(({ identity }) => identity.containerId)).size, 10);
});

test('a spare is greeted in advance with what recent sessions said, and only they get it', async (t) => {
  const { mesh, used } = await withSpares(1, { maxSessions: 20 });
  await mesh.openForSession('one', 'alice', HELLO);
  const greeted = () => mesh.replicas('one').some(({ spare, state }) => spare && state === 'ready');
  await until('a spare is greeted', greeted);
  const same = await mesh.openForSession('one', 'bob', { ...HELLO, _meta: { traceparent: 'x' } });
  t.is(same.state.name, 'ready');
  const outcome = await same.initialize({ ...HELLO }, { ...CALL, announce: false });
  t.like(outcome, { ok: true, result: { protocolVersion: '2025-06-18' } });
  await until('the next spare is greeted', greeted);
  const other = await mesh.openForSession('one', 'carol', OTHER);
  t.is(other.state.name, 'starting', 'it is a process that nobody has greeted');
  t.deepEqual(used(), ['started', 'greeted', 'none']);
});

test('a question after the era gets only a process that was not greeted', async (t) => {
  const { mesh } = await withSpares(1, { maxSessions: 20 });
  await mesh.openForSession('one', 'alice', HELLO);
  await until('a spare is greeted', () =>
    mesh.replicas('one').some(({ spare, state }) => spare && state === 'ready'),
  );
  t.is((await mesh.openForSession('one', 'alice')).handshake, null);
});

test('a spare that dies is replaced, with longer and longer waits where it keeps dying', async (t) => {
  const { mesh, engine, clock } = await withSpares(1);
  const spareId = () => mesh.replicas('one').find(({ spare }) => spare)?.containerId ?? '';
  const dies = async () => {
    const id = spareId();
    engine.process(id).exit(1);
    await until('it is gone', async () => (await engine.inspect(id)) === null);
    await settle();
  };
  await dies();
  await until('the first is replaced at once', () => mesh.get('one').replicas.spare === 1);
  await dies();
  t.is(mesh.get('one').replicas.spare, 0, 'the second has to wait');
  clock.advance(2000);
  await until('then it is replaced', () => mesh.get('one').replicas.spare === 1);
});

test('a spare that is killed or stopped by a user is replaced', async (t) => {
  const { mesh, engine } = await withSpares(1);
  for (const verb of ['kill', 'stop'] as const) {
    const id = mesh.replicas('one').find(({ spare }) => spare)?.containerId ?? '';
    t.like(await mesh.containers.get(id), { spare: true, heldBy: 'pool' });
    await mesh.containers.act(id, verb);
    await until('another one waits', () => {
      const now = mesh.replicas('one').find(({ spare }) => spare)?.containerId;
      return now !== undefined && now !== id;
    });
    await until('it is gone', async () => (await engine.inspect(id)) === null);
  }
});

test('a paused spare is not handed out', async (t) => {
  const { mesh, engine } = await withSpares(1);
  const id = mesh.replicas('one').find(({ spare }) => spare)?.containerId ?? '';
  await mesh.openForSession('one', 'alice', HELLO);
  await until('a greeted spare', () =>
    mesh.replicas('one').some((one) => one.spare && one.state === 'ready'),
  );
  const next = mesh.replicas('one').find(({ spare }) => spare)?.containerId ?? '';
  t.not(next, id);
  await mesh.containers.act(next, 'pause');
  const replica = await mesh.openForSession('one', 'alice', HELLO);
  t.not(replica.identity.containerId, next);
  t.is((await engine.inspect(next))?.state, 'paused');
});

test('a spare takes the place of a standing replica that dies', async (t) => {
  const { mesh, engine, stated } = await withSpares(1, { sharing: 'shared' });
  await until('the spare is greeted', () => mesh.replicas('one').every(({ state }) => state === 'ready'));
  const [first] = mesh.standing('one');
  const spareId = mesh.replicas('one').find(({ spare }) => spare)?.containerId;
  const made = engine.created.length;
  engine.process(first?.identity.containerId ?? '').exit(1);
  await until('the spare serves', () => mesh.standing('one')[0]?.identity.containerId === spareId);
  t.like(mesh.standing('one')[0]?.identity, { heldBy: 'pool', restarts: 1 });
  await until('it is ready', () => mesh.standing('one')[0]?.available === true);
  await until('the dead one is removed', async () => (await engine.list(OWNER)).length === 2);
  await until('there is a spare again', () => mesh.get('one').replicas.spare === 1);
  t.is(engine.created.length, made + 1);
  t.is(mesh.standing('one').length, 1);
  const breakers = stated.flatMap((fact) =>
    fact.type === 'breaker.state' && fact.replica === 'one-1' ? [fact.state] : [],
  );
  t.deepEqual(breakers, ['closed', 'open', 'half_open', 'closed'], 'it had to answer a probe first');
});

test('a spare serves while it is still looked into why its predecessor died, and afterwards', async (t) => {
  const { mesh, engine } = await withSpares(1, { sharing: 'shared' });
  await until('the spare is greeted', () => mesh.replicas('one').every(({ state }) => state === 'ready'));
  const dead = mesh.standing('one')[0]?.identity.containerId ?? '';
  const slow = Promise.withResolvers<void>();
  const inspect = engine.inspect.bind(engine);
  engine.inspect = async (id) => {
    if (id === dead) await slow.promise;
    return await inspect(id);
  };
  engine.process(dead).exit(1);
  await until('the spare serves', () => {
    const [standing] = mesh.standing('one');
    return standing?.available === true && standing.identity.containerId !== dead;
  });
  slow.resolve();
  await until('the dead one is removed', async () => (await inspect(dead)) === null);
  await settle();
  t.true(mesh.standing('one')[0]?.available, 'how its predecessor ended says nothing about it');
});

test('where a server keeps dying no more spares are spent on its place', async (t) => {
  const { mesh, engine, clock, stated } = await withSpares(1, { sharing: 'shared' });
  for (let death = 0; death < 8; death++) {
    const [standing] = mesh.standing('one');
    if (standing === undefined) break;
    engine.process(standing.identity.containerId).exit(1);
    await standing.over;
    await settle();
    clock.advance(100);
    await settle();
  }
  t.true(stated.filter((fact) => fact.type === 'spare.used').length < 5);
  t.true(engine.created.length < 12);
});

test('with data a spare is for callers without a name only', async (t) => {
  const { mesh, engine } = await withSpares(1, { data: '/data', maxSessions: 20 });
  const ids = async () => (await engine.list(OWNER)).map(({ id }) => id);
  const before = await ids();
  const alices = await mesh.openForSession('one', 'alice', HELLO);
  t.false(before.includes(alices.identity.containerId), 'hers is made for her, with her volume');
  const anybodys = await mesh.openForSession('one', 'anonymous', HELLO);
  t.true(before.includes(anybodys.identity.containerId));
  const volumes = new Set(engine.created.map(({ volume }) => volume?.name));
  t.is(volumes.size, 2);
});

test('the number of spares can be changed without replacing anything', async (t) => {
  const { mesh, engine } = await withSpares(1);
  const standing = mesh.standing('one')[0];
  await mesh.apply([spec('one', scaling(3))]);
  await until('there are three', () => mesh.get('one').replicas.spare === 3);
  await mesh.apply([spec('one', scaling(0))]);
  await until('there are none', async () => (await engine.list(OWNER)).length === 1);
  t.true(mesh.standing('one')[0] === standing);
});

test('stop and shutdown leave no spare, start brings them back', async (t) => {
  const { mesh, engine } = await withSpares(2);
  mesh.stop('one');
  await until('nothing is left', async () => (await engine.list(OWNER)).length === 0);
  mesh.start('one');
  await until('all are back', () => mesh.get('one').replicas.spare === 2);
  await mesh.openForSession('one', 'alice', HELLO); // one is just being made
  await mesh.shutdown(1000);
  t.deepEqual(await engine.list(OWNER), []);
});

test('restart of a server makes its spares anew', async (t) => {
  const { mesh } = await withSpares(1);
  const before = mesh.replicas('one').find(({ spare }) => spare)?.containerId;
  mesh.restart('one');
  await until('another spare waits', () => {
    const now = mesh.replicas('one').find(({ spare }) => spare)?.containerId;
    return now !== undefined && now !== before;
  });
  t.is(mesh.get('one').replicas.spare, 1);
});
