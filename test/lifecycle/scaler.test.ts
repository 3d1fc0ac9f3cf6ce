import test from 'ava';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

const SCALING = { max: 4, warm: 0, targetInFlight: 2, scaleDownAfterMs: 30_000 };

async function pool(overrides: Partial<ServerSpec> = {}) {
  let waiting = 0;
  const all = rig({ queued: () => waiting });
  await all.mesh.apply([spec('one', { sharing: 'shared', scaling: SCALING, ...overrides })]);
  await until('its tools are known', () => all.mesh.tools('one').length === 3);
  const queued = (calls: number): void => {
    waiting = calls;
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      all.clock.advance(1000);
      await settle();
    }
  };
  const scaled = () =>
    all.stated.flatMap((fact) => (fact.type === 'pool.scaled' ? [[fact.from, fact.to, fact.why]] : []));
  return { ...all, queued, pass, scaled };
}

/** Calls that the server never answers, until they are withdrawn. */
function openCalls(mesh: Awaited<ReturnType<typeof pool>>['mesh'], count: number) {
  const withdraw = new AbortController();
  const options = { callTimeoutMs: 2 ** 31, maxCallMs: 2 ** 31, signal: withdraw.signal };
  const replica = mesh.standing('one')[0];
  const calls = Array.from({ length: count }, () => replica?.call('tools/never', {}, options));
  return async () => {
    withdraw.abort();
    await Promise.allSettled(calls);
  };
}

test('calls in flight bring more replicas up, and after the window they are ended again', async (t) => {
  const { mesh, engine, pass, scaled } = await pool();
  const end = openCalls(mesh, 6);
  await pass(8000);
  await until('three are ready', () => mesh.get('one').replicas.ready === 3);
  await end();
  await pass(25_000);
  t.is(mesh.get('one').replicas.desired, 3, 'not before the window is over');
  await pass(15_000);
  await until('one is left', async () => (await engine.list(OWNER)).length === 1);
  t.deepEqual(scaled().at(0), [1, 3, 'load']);
  t.deepEqual(scaled().at(-1)?.slice(1), [1, 'quiet']);
});

test('calls that wait count as well, and max is never exceeded', async (t) => {
  const { mesh, queued, pass } = await pool();
  queued(1000);
  await pass(40_000);
  t.like(mesh.get('one').replicas, { desired: 4, min: 1, max: 4 });
});

test('fewer replicas: the one that works stays, an idle one goes', async (t) => {
  const { mesh, pass, queued } = await pool({ scaling: { ...SCALING, max: 2 } });
  queued(4);
  await pass(8000);
  await until('two are ready', () => mesh.get('one').replicas.ready === 2);
  queued(0);
  const busy = mesh.standing('one')[1];
  const withdraw = new AbortController();
  const call = busy?.call(
    'tools/never',
    {},
    {
      callTimeoutMs: 2 ** 31,
      maxCallMs: 2 ** 31,
      signal: withdraw.signal,
    },
  );
  await pass(50_000);
  await until('one is left', () => mesh.get('one').replicas.total === 1);
  t.true(mesh.standing('one')[0] === busy);
  withdraw.abort();
  await t.throwsAsync(call ?? Promise.resolve());
});

test('a number that a user sets stays, until it is the configured one again', async (t) => {
  const { mesh, pass, queued } = await pool();
  mesh.scale('one', 2);
  await until('two are ready', () => mesh.get('one').replicas.ready === 2);
  await pass(100_000);
  t.is(mesh.get('one').replicas.desired, 2);
  mesh.scale('one', 1);
  queued(4);
  await pass(10_000);
  t.is(mesh.get('one').replicas.desired, 2, 'the load decides again');
});

test('a new range takes effect at once', async (t) => {
  const { mesh } = await pool();
  await mesh.apply([spec('one', { sharing: 'shared', replicas: 3, scaling: { ...SCALING, max: 5 } })]);
  await until('three are ready', () => mesh.get('one').replicas.ready === 3);
  await mesh.apply([spec('one', { sharing: 'shared', replicas: 1, scaling: { ...SCALING, max: 2 } })]);
  await until('two are left', () => mesh.get('one').replicas.total === 2);
  t.is(mesh.get('one').replicas.desired, 2);
});

test('a pool without a range is never scaled by load', async (t) => {
  const { mesh, queued, pass, scaled } = await pool({ scaling: { ...SCALING, max: 1 } });
  queued(1000);
  await pass(60_000);
  t.is(mesh.get('one').replicas.desired, 1);
  t.deepEqual(scaled(), []);
});
