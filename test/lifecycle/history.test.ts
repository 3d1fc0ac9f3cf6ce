import test from 'ava';
import type { ServerHistory } from '../../orchestrator/lifecycle/index.ts';
import { NO_MEMORY } from '../../orchestrator/lifecycle/mesh-memory.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { rig, running, settle, spec, until } from './rig.ts';

/** A process of Gantry that begins where another one has just ended without a word. */
function after(history: ServerHistory | null, clock: FakeClock) {
  return rig({ clock, memory: { ...NO_MEMORY, history: () => history } });
}

const DYING = spec('one', running('dies'));

/** Until the server is in a crash loop. */
async function loop() {
  const clock = new FakeClock();
  const { mesh } = rig({ clock });
  await mesh.apply([DYING]);
  await until('it is a crash loop', async () => {
    clock.advance(1000);
    await settle();
    return mesh.get('one').reason?.code === 'crash_loop';
  });
  const { nextTryAt, reason } = mesh.get('one');
  return { history: mesh.history('one'), nextTryAt, stderr: reason?.stderr, clock };
}

test('a crash loop is one in the next process too: nothing is started before its time, then one', async (t) => {
  const { history, nextTryAt, clock } = await loop();
  const { mesh, engine } = after(history, clock);
  await mesh.apply([DYING]);
  await settle();
  t.like(mesh.get('one'), { state: 'failed', nextTryAt });
  t.is(mesh.get('one').reason?.code, 'crash_loop');
  t.is(engine.created.length, 0);
  t.deepEqual(mesh.history('one'), history, 'nothing is lost by being taken over');
  clock.advance(Date.parse(nextTryAt ?? '') - clock.now());
  await until('it is tried', () => engine.created.length === 1);
  await until('it has failed again', () => mesh.get('one').state === 'failed');
  t.is(mesh.get('one').reason?.code, 'crash_loop');
  t.true(Date.parse(mesh.get('one').nextTryAt ?? '') - clock.now() > 60_000, 'it waits longer each time');
  t.is(engine.created.length, 1);
});

test('what a server wrote on stderr is shown, and no part of what the registry is told', async (t) => {
  const { history, stderr } = await loop();
  t.deepEqual(stderr, ['cannot find config']);
  t.is(history.places[1]?.waiting?.reason.code, 'crash_loop');
  t.false(JSON.stringify(history).includes('cannot find config'));
});

test('a start that is asked for does not wait for what an earlier process had to', async (t) => {
  const { history, clock } = await loop();
  const { mesh, engine } = after(history, clock);
  await mesh.apply([DYING]);
  await settle();
  mesh.start('one');
  await until('it is tried', () => engine.created.length > 0);
  t.deepEqual(mesh.history('one').places[1]?.failures.inCrashLoop, false);
});

test('a wait that is longer than any can be was begun under another clock: it is tried at once', async (t) => {
  const { history, clock } = await loop();
  const [place] = Object.values(history.places);
  const waiting = place?.waiting && { ...place.waiting, at: clock.now() + 3_600_000 };
  const { mesh, engine } = after({ ...history, places: { 1: { ...place, waiting } as never } }, clock);
  await mesh.apply([DYING]);
  await until('it is tried', () => engine.created.length === 1);
  t.not(mesh.history('one').places[1]?.waiting?.at, waiting?.at);
});

test('a place whose breaker was open begins half-open, with one probe, and keeps how often it opened', async (t) => {
  const clock = new FakeClock();
  const first = rig({ clock });
  await first.mesh.apply([spec('one')]);
  await until('it is ready', () => first.mesh.get('one').state === 'ready');
  first.engine.failStart = new Error('not now');
  const [container] = await first.mesh.containers.list();
  first.engine.process(container?.id ?? '').exit(1);
  await until('its breaker is open', () => first.mesh.history('one').places[1]?.breaker.state === 'open');
  const second = after(first.mesh.history('one'), clock);
  const states = () =>
    second.stated.flatMap((fact) =>
      fact.type === 'breaker.state' && fact.guards === 'calls' ? [fact.state] : [],
    );
  await second.mesh.apply([spec('one')]);
  clock.advance(10_000);
  await until('it serves', () => second.mesh.get('one').state === 'ready');
  t.deepEqual(states(), ['open', 'half_open', 'closed']);
  t.like(first.mesh.history('one').places[1]?.breaker, { openings: 1 });
});

test('starts for sessions that were refused are refused by the next process, with the same reason', async (t) => {
  const clock = new FakeClock();
  const refusal = ({ mesh }: ReturnType<typeof rig>) =>
    mesh.openForSession('one', 'alice').then(
      () => null,
      (error: { code: string; detail: unknown }) => error,
    );
  const first = rig({ clock });
  await first.mesh.apply([spec('one', { maxSessions: 50 })]);
  await until('it is ready', () => first.mesh.get('one').state === 'ready');
  first.engine.failStart = new Error('no more processes');
  for (let start = 0; start < 5; start++) await refusal(first);
  const second = after(first.mesh.history('one'), clock);
  await second.mesh.apply([spec('one', { maxSessions: 50 })]);
  await until('it is ready', () => second.mesh.get('one').state === 'ready');
  const made = second.engine.created.length;
  t.deepEqual(await refusal(second), await refusal(first));
  t.is(second.engine.created.length, made);
});
