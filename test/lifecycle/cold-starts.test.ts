import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { BREAKER } from '../fakes/policies.ts';
import { rig, settle, spec, until } from './rig.ts';

type Rig = ReturnType<typeof rig>;

async function ready(over = {}): Promise<Rig> {
  const all = rig();
  await all.mesh.apply([spec('one', { maxSessions: 50, ...over })]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  return all;
}

function refused({ mesh }: Rig): Promise<GantryError> {
  return mesh.openForSession('one', 'alice').then(
    () => Promise.reject(new Error('it was opened')),
    (error: GantryError) => error,
  );
}

/** A process that ends before its handshake. */
async function dies(all: Rig): Promise<void> {
  const replica = await all.mesh.openForSession('one', 'alice');
  all.engine.process(replica.identity.containerId).exit(3);
  await replica.over;
  await settle();
}

const states = ({ stated }: Rig) =>
  stated.flatMap((fact) => (fact.type === 'breaker.state' && fact.guards === 'starts' ? [fact.state] : []));

test('after five starts in a row that failed the next is refused at once, with the reason and when to come back', async (t) => {
  const all = await ready();
  all.engine.failStart = new Error('no more processes');
  for (let start = 0; start < 5; start++) t.is((await refused(all)).code, 'replica_failed');
  const made = all.engine.created.length;
  const error = await refused(all);
  t.is(error.code, 'no_replica');
  t.like(error.detail, { server: 'one', reason: 'internal', mayHaveRun: false, retryAfterMs: 27_000 });
  t.regex(error.message, /no more processes/);
  t.is(all.engine.created.length, made, 'nothing was started');
  t.is(all.mesh.get('one').state, 'ready', 'the standing replica serves on');
});

test('a process that ends before its handshake is a start that failed', async (t) => {
  const all = await ready();
  for (let start = 0; start < 5; start++) await dies(all);
  t.like((await refused(all)).detail, { reason: 'exited' });
});

test('one start is tried after the wait; it closes the breaker by its handshake, and others wait for that', async (t) => {
  const all = await ready();
  for (let start = 0; start < 5; start++) await dies(all);
  all.clock.advance(27_000);
  const trial = await all.mesh.openForSession('one', 'alice');
  t.like((await refused(all)).detail, { retryAfterMs: 2000 });
  await trial.greet(1000);
  await (await all.mesh.openForSession('one', 'alice')).greet(1000);
  t.deepEqual(states(all), ['open', 'half_open', 'closed']);
});

test('a trial that fails makes the next wait longer, and one that nobody wanted any more decides nothing', async (t) => {
  const all = await ready();
  for (let start = 0; start < 5; start++) await dies(all);
  all.clock.advance(27_000);
  await all.mesh.release(await all.mesh.openForSession('one', 'alice'), 'the client left');
  await dies(all);
  t.like((await refused(all)).detail, { retryAfterMs: 54_000 });
  t.deepEqual(states(all), ['open', 'half_open', 'open']);
});

test('a client that waited for a handshake all of readyMs and left has seen a start that failed', async (t) => {
  const all = await ready({ breaker: { ...BREAKER, consecutiveFailures: 1 } });
  const replica = await all.mesh.openForSession('one', 'alice');
  all.clock.advance(60_000);
  await all.mesh.release(replica, 'no answer');
  t.like((await refused(all)).detail, { reason: 'never_ready' });
});

test('an engine that is away, full places and sessions that were ended are no failed starts', async (t) => {
  const all = await ready({ maxSessions: 1, breaker: { ...BREAKER, consecutiveFailures: 1 } });
  const replica = await all.mesh.openForSession('one', 'alice');
  t.like((await refused(all)).detail, { maxSessions: 1 });
  await all.mesh.release(replica, 'the client left');
  all.engine.failCreate = new GantryError('engine_unavailable', 'away');
  t.is((await refused(all)).code, 'engine_unavailable');
  all.engine.failCreate = null;
  await t.notThrowsAsync(all.mesh.openForSession('one', 'alice'));
  t.deepEqual(states(all), []);
});

test('a start that a user asks for tries at once', async (t) => {
  const all = await ready();
  for (let start = 0; start < 5; start++) await dies(all);
  t.is((await refused(all)).code, 'no_replica');
  all.mesh.start('one');
  await t.notThrowsAsync(all.mesh.openForSession('one', 'alice'));
});
