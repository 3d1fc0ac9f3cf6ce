import test from 'ava';
import { GantryError, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import type { Replica } from '../../orchestrator/replica/index.ts';
import { BREAKER, HEALTH } from '../fakes/policies.ts';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';

type Rig = ReturnType<typeof rig>;

const SHORT = { callTimeoutMs: 100, maxCallMs: 100 };

async function shared(replicas: number, over: Partial<ServerSpec> = {}): Promise<Rig> {
  const all = rig();
  await all.mesh.apply([spec('one', { sharing: 'shared', replicas, ...over })]);
  await until('all are ready', () => all.mesh.standing('one').length === replicas);
  await settle(); // their tools have been listed: an answer that would count
  return all;
}

function nth(all: Rig, index: number): Replica {
  const replica = all.mesh.standing('one')[index];
  if (replica === undefined) throw new Error(`there is no replica ${index}`);
  return replica;
}

/** Calls that nobody answers, one after the other. */
async function timeOut(all: Rig, replica: Replica, times: number): Promise<void> {
  for (let call = 0; call < times; call++) {
    const failed = replica.call('never/answered', undefined, SHORT).catch((error: unknown) => error);
    all.clock.advance(100);
    const error = await failed;
    if (!(error instanceof GantryError) || error.code !== 'call_timeout') throw error;
  }
}

const breakerFacts = ({ stated }: Rig, replica: string) =>
  stated.flatMap((fact) =>
    fact.type === 'breaker.state' && fact.replica === replica ? [[fact.state, fact.cause]] : [],
  );

test('a replica whose calls time out is out at once, drains, and its replacement serves after its first probe', async (t) => {
  const all = await shared(2);
  const broken = nth(all, 0);
  const left = t.throwsAsync<GantryError>(
    broken.call('never/answered', undefined, { callTimeoutMs: 60_000, maxCallMs: 60_000 }),
    { instanceOf: GantryError },
  );
  await timeOut(all, broken, 4);
  t.true(broken.available);
  await timeOut(all, broken, 1);
  t.false(broken.available);
  await settle();
  t.is(broken.state.name, 'draining');
  t.deepEqual(
    all.mesh.standing('one').map(({ identity }) => identity.id),
    ['one-2'],
  );
  t.is(all.mesh.get('one').state, 'ready', 'the other one serves');
  t.is(all.mesh.replicas('one')[0]?.breaker, 'open');
  all.clock.advance(20_000);
  t.like((await left)?.detail, { reason: 'breaker_open', mayHaveRun: true });
  await until('its replacement serves', () => all.mesh.standing('one').length === 2);
  t.not(nth(all, 0).identity.containerId, broken.identity.containerId);
  t.true(nth(all, 0).available);
  t.is((await all.engine.list(OWNER)).length, 2);
  t.deepEqual(breakerFacts(all, 'one-1'), [
    ['closed', null],
    ['open', 'consecutive'],
    ['half_open', null],
    ['closed', null],
  ]);
  t.is(all.stated.filter((fact) => fact.type === 'replica.probe' && fact.answered).length, 1);
});

test('of a shared pool no more than half is taken out at a time', async (t) => {
  const all = await shared(2);
  const [first, second] = [nth(all, 0), nth(all, 1)];
  await timeOut(all, first, 5);
  await timeOut(all, second, 6);
  t.false(first.available);
  t.true(second.available, 'the last one is kept, whatever it does');
  t.is(all.stated.filter((fact) => fact.type === 'breaker.spared' && fact.replica === 'one-2').length, 2);
  await until(
    'the first is replaced',
    () => all.mesh.standing('one').filter(({ available }) => available).length === 2,
  );
  t.true(second.available);
  await timeOut(all, second, 1);
  t.false(second.available, 'now the pool can do without it');
});

test('the only replica of a pool may be taken out', async (t) => {
  const all = await shared(1);
  const before = nth(all, 0);
  await timeOut(all, before, 5);
  t.false(before.available);
  await until('it is replaced', () => all.mesh.standing('one')[0]?.available === true);
  t.not(nth(all, 0).identity.containerId, before.identity.containerId);
});

test('a process that died is replaced, and the replacement gets no calls before it has answered', async (t) => {
  const all = await shared(1);
  const before = nth(all, 0);
  all.engine.process(before.identity.containerId).exit(1);
  await until(
    'it is replaced',
    () => all.mesh.standing('one')[0]?.available === true && nth(all, 0) !== before,
  );
  t.deepEqual(breakerFacts(all, 'one-1').slice(1), [
    ['open', 'dead'],
    ['half_open', null],
    ['closed', null],
  ]);
});

test('a replacement has to answer as many probes in a row as health.rise says', async (t) => {
  const all = await shared(1, { health: { ...HEALTH, rise: 3 } });
  const before = nth(all, 0);
  all.engine.process(before.identity.containerId).exit(1);
  await until(
    'it is replaced',
    () => all.mesh.standing('one')[0]?.available === true && nth(all, 0) !== before,
  );
  const probes = all.stated.filter((fact) => fact.type === 'replica.probe' && fact.answered);
  t.is(probes.length, 3);
});

test('a replacement that is silent after its handshake is replaced too, and ends as a crash loop', async (t) => {
  const all = await shared(1, running('unlisted'));
  all.engine.process(nth(all, 0).identity.containerId).exit(1);
  for (let made = 2; made <= 5; made++) {
    await until(`container ${made} runs`, () => all.engine.created.length === made);
    await until('it is half-open', () => breakerFacts(all, 'one-1').at(-1)?.[0] === 'half_open');
    t.deepEqual(all.mesh.standing('one'), []);
    t.is(all.mesh.replicas('one')[0]?.breaker, 'half_open');
    await settle();
    all.clock.advance(5000);
    await until('it was given up', () => breakerFacts(all, 'one-1').at(-1)?.[1] === 'probe');
    await until('it waits', () => all.mesh.get('one').nextTryAt !== null);
    if (made < 5) t.is(all.mesh.get('one').reason?.code, 'unresponsive');
    if (made < 5) all.clock.advance(10_000);
  }
  t.like(all.mesh.get('one'), { state: 'failed', reason: { code: 'crash_loop' } });
  t.true(Date.parse(all.mesh.get('one').nextTryAt ?? '') > all.clock.now());
});

test('thresholds that change hold at once for the replicas that are there', async (t) => {
  const all = await shared(1);
  const replica = nth(all, 0);
  await timeOut(all, replica, 3);
  const stricter = { ...BREAKER, consecutiveFailures: 4 };
  await all.mesh.apply([spec('one', { sharing: 'shared', breaker: stricter })]);
  t.is(nth(all, 0), replica, 'no container is made of them');
  t.is(all.mesh.get('one').breaker.consecutiveFailures, 4);
  await timeOut(all, replica, 1);
  t.false(replica.available);
});

test('errors of the server, and calls that were cancelled, take nothing out', async (t) => {
  const all = await shared(1);
  const replica = nth(all, 0);
  for (let call = 0; call < 20; call++) {
    const gone = new AbortController();
    const cancelled = replica.call('never/answered', undefined, { ...SHORT, signal: gone.signal });
    gone.abort();
    await t.throwsAsync(cancelled, { instanceOf: GantryError, message: /withdrew/ });
    t.false((await replica.call('refused', undefined, SHORT)).ok);
  }
  t.true(replica.available);
});

test('a fresh start that a user asks for closes the breaker without a probe', async (t) => {
  const all = await shared(1);
  const drained = t.throwsAsync(
    nth(all, 0).call('never/answered', undefined, { callTimeoutMs: 60_000, maxCallMs: 60_000 }),
    { instanceOf: GantryError },
  );
  await timeOut(all, nth(all, 0), 5);
  await settle();
  all.mesh.restart('one');
  await settle();
  all.clock.advance(20_000);
  await drained;
  await until('it serves', () => all.mesh.standing('one')[0]?.available === true);
  t.deepEqual(breakerFacts(all, 'one-1').slice(1), [
    ['open', 'consecutive'],
    ['closed', null],
  ]);
  t.false(all.stated.some((fact) => fact.type === 'replica.probe'));
});

test('a start of what runs already starts nothing, and its calls go on', async (t) => {
  const all = await shared(1);
  const replica = nth(all, 0);
  all.mesh.start('one');
  await settle();
  t.is(nth(all, 0), replica);
  t.is(all.engine.created.length, 1);
});

test('a replica of a session whose calls time out is ended with its session and not replaced', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  const replica = await all.mesh.openForSession('one', 'alice');
  await replica.greet(1000);
  const left = t.throwsAsync<GantryError>(
    replica.call('never/answered', undefined, { callTimeoutMs: 60_000, maxCallMs: 60_000 }),
    { instanceOf: GantryError },
  );
  await timeOut(all, replica, 5);
  await settle();
  t.is(replica.state.name, 'draining');
  all.clock.advance(20_000);
  t.like((await left)?.detail, { reason: 'breaker_open' });
  await replica.over;
  await until('its container is gone', async () => (await all.engine.list(OWNER)).length === 1);
  t.is(all.engine.created.length, 2);
});
