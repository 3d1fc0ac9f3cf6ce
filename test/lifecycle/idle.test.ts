import test from 'ava';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { Router } from '../../orchestrator/routing/index.ts';
import { rig, settle, spec, until } from './rig.ts';

const IDLE = { pauseAfterMs: 10_000, stopAfterMs: 60_000 };
const CALL = { callTimeoutMs: 5000, maxCallMs: 5000 };

async function sleeper(overrides: Partial<ServerSpec> = {}, options: Parameters<typeof rig>[0] = {}) {
  const all = rig(options);
  const router = new Router({ pools: all.mesh, clock: all.clock, facts: all.facts, random: () => 0.5 });
  await all.mesh.apply([spec('one', { sharing: 'shared', idle: IDLE, ...overrides })]);
  await until('its tools are known', () => all.mesh.tools('one').length === 3);
  const containers = () => all.mesh.replicas('one').map(({ containerId }) => containerId);
  const states = () => Promise.all(containers().map(async (id) => (await all.engine.inspect(id))?.state));
  const steps = () => all.stated.flatMap((fact) => (fact.type === 'replica.rest' ? [fact.step] : []));
  return { ...all, router, states, steps, containers };
}

/** Lets time pass in small steps, as timers that are set on the way need. */
async function pass(clock: { advance(ms: number): void }, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    clock.advance(1000);
    await settle();
  }
}

test('nobody calls: paused, then stopped, and the API says that it is idle', async (t) => {
  const { mesh, clock, states, steps } = await sleeper({ replicas: 2 });
  await pass(clock, 9000);
  t.deepEqual(await states(), ['running', 'running']);
  await pass(clock, 2000);
  t.deepEqual(await states(), ['paused', 'paused']);
  t.like(mesh.get('one'), { state: 'paused', idle: 'paused' });
  t.true(mesh.replicas('one').every(({ idle, state }) => idle && state === 'paused'));
  await pass(clock, 70_000);
  t.deepEqual(await states(), ['exited', 'exited']);
  t.like(mesh.get('one'), { state: 'stopped', idle: 'stopped', reason: null });
  t.deepEqual(steps(), ['paused', 'paused', 'stopped', 'stopped']);
});

test('a call to a paused replica resumes it and is answered', async (t) => {
  const { mesh, clock, router, states, steps } = await sleeper();
  await pass(clock, 11_000);
  t.deepEqual(await states(), ['paused']);
  const { replica } = await router.lease('one', 'anonymous');
  t.true(replica.available);
  t.deepEqual(await states(), ['running']);
  t.like(mesh.get('one'), { state: 'ready', idle: null });
  t.deepEqual(steps(), ['paused', 'resumed']);
});

test('a call to a stopped replica starts it in the same container and waits', async (t) => {
  const { clock, router, states, engine, containers } = await sleeper();
  const [id = ''] = containers();
  await pass(clock, 80_000);
  t.deepEqual(await states(), ['exited']);
  const { replica } = await router.lease('one', 'anonymous');
  t.is(replica.identity.containerId, id);
  t.is(replica.state.name, 'ready');
  t.is(engine.created.length, 1);
});

test('many calls at once wake it once', async (t) => {
  const { clock, router, steps } = await sleeper();
  await pass(clock, 11_000);
  const leases = await Promise.all(Array.from({ length: 20 }, () => router.lease('one', 'anonymous')));
  t.is(new Set(leases.map(({ replica }) => replica)).size, 1);
  t.deepEqual(steps(), ['paused', 'resumed']);
});

test('after a call it counts anew', async (t) => {
  const { clock, router, states } = await sleeper();
  await pass(clock, 8000);
  await router.lease('one', 'anonymous');
  await pass(clock, 8000);
  t.deepEqual(await states(), ['running']);
  await pass(clock, 4000);
  t.deepEqual(await states(), ['paused']);
});

test('never while a call is open, and its end is what idleness counts from', async (t) => {
  const { clock, mesh, states } = await sleeper();
  const [replica] = mesh.standing('one');
  const withdraw = new AbortController();
  const open = replica?.call(
    'tools/never',
    {},
    {
      callTimeoutMs: 2 ** 31,
      maxCallMs: 2 ** 31,
      signal: withdraw.signal,
    },
  );
  await pass(clock, 100_000);
  t.deepEqual(await states(), ['running']);
  withdraw.abort();
  await t.throwsAsync(open ?? Promise.resolve());
  await pass(clock, 8000);
  t.deepEqual(await states(), ['running']);
  await pass(clock, 10_000);
  t.deepEqual(await states(), ['paused']);
});

test('never while somebody has a stream or a subscription open', async (t) => {
  let listening = true;
  const { clock, states } = await sleeper({}, { inUse: (server) => listening && server === 'one' });
  await pass(clock, 100_000);
  t.deepEqual(await states(), ['running']);
  listening = false;
  await pass(clock, 25_000);
  t.deepEqual(await states(), ['paused']);
});

test('its tools, a ping and what it said in its handshake are known without waking it', async (t) => {
  const { clock, router, states } = await sleeper();
  await pass(clock, 80_000);
  t.is((await router.tools('one', 'anonymous')).tools.length, 3);
  const list = { method: 'tools/list', params: undefined };
  t.like(await router.call('one', 'anonymous', list), { ok: true });
  t.like(await router.call('one', 'anonymous', { method: 'ping', params: undefined }), { ok: true });
  t.is((await router.handshake('one', 'anonymous'))?.protocolVersion, '2025-06-18');
  t.deepEqual(await states(), ['exited']);
});

test('a pause that a user wants is left alone: nothing is stopped, and no call resumes it', async (t) => {
  const { mesh, clock, router, states, containers } = await sleeper();
  await mesh.containers.act(containers()[0] ?? '', 'pause');
  await pass(clock, 100_000);
  t.deepEqual(await states(), ['paused']);
  t.like(mesh.get('one'), { state: 'paused', idle: null });
  await t.throwsAsync(router.lease('one', 'anonymous'), { message: /No replica/ });
  t.deepEqual(await states(), ['paused']);
});

test('a replica that rests and is killed is repaired', async (t) => {
  const { mesh, clock, engine, containers } = await sleeper();
  await pass(clock, 11_000);
  const [id = ''] = containers();
  await engine.kill(id);
  await until('another one is ready', () => mesh.get('one').state === 'ready');
  t.not(containers()[0], id);
});

test('under sharing session the one who is called for is woken too', async (t) => {
  const { mesh, clock, states } = await sleeper({ sharing: 'session' });
  await mesh.heldFor('one', 'alice');
  await pass(clock, 80_000);
  t.deepEqual(await states(), ['exited']);
  const replica = await mesh.heldFor('one', 'alice');
  t.true(replica.available);
  t.like(await replica.call('tools/list', {}, CALL), { ok: true });
});

test('idle can be switched on and off while it runs, and start wakes', async (t) => {
  const { mesh, clock, states } = await sleeper({ idle: { pauseAfterMs: null, stopAfterMs: null } });
  await pass(clock, 100_000);
  t.deepEqual(await states(), ['running']);
  await mesh.apply([spec('one', { sharing: 'shared', idle: IDLE })]);
  await pass(clock, 80_000);
  t.deepEqual(await states(), ['exited']);
  mesh.start('one');
  await until('it is ready', () => mesh.get('one').state === 'ready');
  t.is(mesh.get('one').idle, null);
});

test('stop and shutdown of what rests leave nothing', async (t) => {
  const { mesh, clock, engine } = await sleeper({ replicas: 2 });
  await pass(clock, 11_000);
  await mesh.shutdown(1000);
  t.deepEqual(await engine.list('gantry'), []);
});
