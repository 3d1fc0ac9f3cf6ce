import test from 'ava';
import { GantryError, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import type { Replica } from '../../orchestrator/replica/index.ts';
import { HEALTH } from '../fakes/policies.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

type Rig = ReturnType<typeof rig>;

const LONG = { callTimeoutMs: 60_000, maxCallMs: 60_000 };

async function ready(over: Partial<ServerSpec> = {}): Promise<Rig> {
  const all = rig();
  await all.mesh.apply([spec('one', { sharing: 'shared', ...over })]);
  await until('it is ready', () => all.mesh.standing('one').length === (over.replicas ?? 1));
  await until('its tools are known', () => all.mesh.get('one').toolCount > 0);
  return all;
}

function first(all: Rig): Replica {
  const [replica] = all.mesh.standing('one');
  if (replica === undefined) throw new Error('there is no replica');
  return replica;
}

/** Time passes, and whoever is asked meanwhile can answer. */
async function pass(all: Rig, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    all.clock.advance(1000);
    await settle();
  }
}

const probes = ({ stated }: Rig) =>
  stated.flatMap((fact) => (fact.type === 'replica.probe' ? [fact.answered] : []));

test('a replica paused behind our back is found by three silent probes and replaced', async (t) => {
  const all = await ready();
  const frozen = first(all);
  await all.engine.pause(frozen.identity.containerId);
  await pass(all, 30);
  t.is(frozen.state.name, 'ready', 'two probes are not enough');
  await pass(all, 8);
  t.is(frozen.state.name, 'failed');
  t.deepEqual(probes(all).slice(0, 3), [false, false, false]);
  const failed = all.stated.find((fact) => fact.type === 'replica.state' && fact.state === 'failed');
  t.like(failed, { reason: { code: 'unresponsive' } });
  t.regex(JSON.stringify(failed), /paused from outside/);
  await until('another one serves', () => all.mesh.standing('one')[0]?.available === true);
  t.not(first(all).identity.containerId, frozen.identity.containerId);
  t.is((await all.engine.list(OWNER)).length, 1);
  t.like(
    all.stated.find((fact) => fact.type === 'breaker.state' && fact.state === 'open'),
    { cause: 'unresponsive' },
  );
});

test('what was paused over the API is left alone, and asked again once it goes on', async (t) => {
  const all = await ready();
  const replica = first(all);
  const id = replica.identity.containerId;
  await all.mesh.containers.act(id, 'pause');
  await pass(all, 300);
  t.is(replica.state.name, 'paused');
  t.deepEqual(probes(all), []);
  await all.mesh.containers.act(id, 'resume');
  await pass(all, 20);
  t.deepEqual([...new Set(probes(all))], [true]);
  t.is(first(all), replica);
});

test('a replica that answers calls is not asked', async (t) => {
  const all = await ready();
  for (let second = 0; second < 100; second++) {
    await first(all).call('tools/list', undefined, LONG);
    await pass(all, 1);
  }
  t.deepEqual(probes(all), []);
});

test('one that works on a single long call is not asked, and found once that call has had its time', async (t) => {
  const all = await ready();
  const replica = first(all);
  await pass(all, 30);
  const asked = probes(all).length;
  await all.engine.pause(replica.identity.containerId); // silent, as one that works and cannot answer
  const call = t.throwsAsync<GantryError>(replica.call('tools/call', { name: 'long' }, LONG), {
    instanceOf: GantryError,
  });
  await pass(all, 59);
  t.is(probes(all).length, asked);
  await pass(all, 1);
  t.is((await call)?.code, 'call_timeout');
  await pass(all, 45);
  t.is(replica.state.name, 'failed');
});

test('one that works on after its call was cancelled is not shot for it', async (t) => {
  const all = await ready();
  const replica = first(all);
  await all.engine.pause(replica.identity.containerId);
  const gone = new AbortController();
  const call = replica.call('tools/call', { name: 'long' }, { ...LONG, signal: gone.signal });
  gone.abort();
  await t.throwsAsync(call, { instanceOf: GantryError, message: /withdrew/ });
  await pass(all, 55);
  t.deepEqual(probes(all), []);
  await all.engine.resume(replica.identity.containerId);
  await pass(all, 60);
  t.is(first(all), replica);
  t.deepEqual([...new Set(probes(all))], [true]);
});

test('while the engine does not say how a container is, its silence is the engine’s', async (t) => {
  const all = await ready();
  const replica = first(all);
  await all.engine.pause(replica.identity.containerId);
  const inspect = all.engine.inspect.bind(all.engine);
  all.engine.inspect = () => new Promise(() => {});
  await pass(all, 120);
  t.is(replica.state.name, 'ready');
  all.engine.inspect = inspect;
  await pass(all, 20);
  t.is(replica.state.name, 'failed');
});

test('of two frozen ones the second goes when the first is back', async (t) => {
  const all = await ready({ replicas: 2 });
  const both = all.mesh.standing('one').map(({ identity }) => identity.containerId);
  for (const id of both) await all.engine.pause(id);
  await pass(all, 60);
  const after = all.mesh.standing('one').map(({ identity }) => identity.containerId);
  t.is(after.length, 2);
  t.false(after.some((id) => both.includes(id)));
  const opened = all.stated.filter((fact) => fact.type === 'breaker.state' && fact.state === 'open');
  t.is(opened.length, 2);
});

test('with intervalMs 0 nobody is asked, and a change of it holds for replicas that are there', async (t) => {
  const all = await ready({ health: { ...HEALTH, intervalMs: 0 } });
  const replica = first(all);
  await pass(all, 100);
  t.deepEqual(probes(all), []);
  await all.mesh.apply([spec('one', { sharing: 'shared', health: { ...HEALTH, intervalMs: 2000 } })]);
  await pass(all, 20);
  t.true(probes(all).length >= 4);
  t.is(first(all), replica);
});

test('a frozen replica of a session is found: its calls end with the reason, and it is over', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const replica = await all.mesh.openForSession('one', 'alice');
  await replica.greet(1000);
  await settle();
  await all.engine.pause(replica.identity.containerId);
  const hour = { callTimeoutMs: 3_600_000, maxCallMs: 3_600_000 };
  const call = t.throwsAsync<GantryError>(replica.call('tools/call', { name: 'x' }, hour), {
    instanceOf: GantryError,
  });
  await pass(all, 110);
  t.like((await call)?.detail, { reason: 'unresponsive', mayHaveRun: true });
  await replica.over;
  await until('its container is gone', async () => (await all.engine.list(OWNER)).length === 1);
  t.is(all.engine.created.length, 2, 'nothing replaces it');
});
