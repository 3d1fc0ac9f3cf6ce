import test from 'ava';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';
import { containers, ended, inState, SHARED, serving } from './rollout-rig.ts';

test('another change meanwhile replaces the one under way; the same one with other numbers is adopted', async (t) => {
  const all = await serving(SHARED);
  const { mesh, engine } = all;
  await mesh.apply([spec('one', { ...SHARED, ...running('mute') })]);
  await settle();
  await mesh.apply([spec('one', { ...SHARED, ...running('mute'), maxSessions: 7 })]);
  t.is(mesh.get('one').rollout?.state, 'starting');
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'], maxSessions: 8 })]);
  await inState(all, 'watching');
  t.deepEqual(ended(all), ['superseded']);
  t.is(mesh.spec('one')?.maxSessions, 8);
  await mesh.apply([spec('one', { ...SHARED, args: ['-v'], maxSessions: 9 })]);
  t.is(mesh.spec('one')?.maxSessions, 9);
  all.clock.advance(10_000);
  await inState(all, 'done');
  t.deepEqual(await containers(all), ['one.3-1']);
  t.is(engine.created.length, 3);
});

test('a stop, a removal and a shutdown wait for no rollout and leave nothing behind', async (t) => {
  for (const [step, image] of [
    ['starting', 'mute'],
    ['watching', 'retooled'],
  ] as const) {
    for (const end of ['stop', 'remove', 'shutdown'] as const) {
      const all = await serving();
      await all.mesh.apply([spec('one', running(image))]);
      await inState(all, step);
      await settle();
      if (end === 'stop') all.mesh.stop('one');
      const over = end === 'remove' ? all.mesh.apply([]) : end === 'shutdown' ? all.mesh.shutdown(0) : null;
      await until(`${step}, ${end}: nothing is left`, async () => {
        all.clock.advance(0); // deadlines of no length are over with the next look at the clock
        return (await all.engine.list(OWNER)).length === 0;
      });
      await over;
      if (end === 'stop') t.is(all.mesh.get('one').state, 'stopped');
      if (end !== 'shutdown') t.deepEqual(ended(all), ['superseded']);
    }
  }
});

test('a server that does not serve is replaced at once: there is nothing to go back to', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('one', running('dies'))]);
  await until('it has failed', () => all.mesh.get('one').reason?.code === 'exited');
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.is(all.mesh.get('one').rollout, null);
  await until('the old one is gone', async () => (await containers(all)).join() === 'one.2-1');
});

test('a change of a stopped server does not start it', async (t) => {
  const all = await serving();
  all.mesh.stop('one');
  await until('it is stopped', () => all.mesh.get('one').state === 'stopped');
  await all.mesh.apply([spec('one', { args: ['-v'] })]);
  await settle();
  t.is(all.mesh.get('one').state, 'stopped');
  t.deepEqual(await containers(all), []);
  all.mesh.start('one');
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  t.deepEqual(all.engine.created.at(-1)?.args, ['-v']);
});

test('however changes, faults and time are mixed, it ends with the last definition, and nothing else', async (t) => {
  const images = ['echo', 'retooled', 'dies', 'mute'];
  for (let seed = 1; seed <= 30; seed++) {
    let state = seed;
    const next = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const all = await serving(SHARED);
    const { mesh, engine, clock } = all;
    let image = 'echo';
    for (let step = 0; step < 12; step++) {
      const what = next(4);
      if (what <= 1) {
        image = images[next(images.length)] ?? 'echo';
        await mesh.apply([spec('one', { ...SHARED, ...running(image), maxSessions: next(3) })]);
      } else if (what === 2) clock.advance(next(15_000));
      else {
        const [victim] = mesh.standing('one');
        if (victim !== undefined && next(2) === 0)
          await engine.kill(victim.identity.containerId).catch(() => {});
      }
      for (let turn = next(40); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    }
    await mesh.apply([spec('one', { ...SHARED, ...running('retooled') })]);
    for (let round = 0; round < 8; round++) {
      await settle();
      clock.advance(40_000);
    }
    await until(`seed ${seed}: it is ready`, () => mesh.get('one').state === 'ready');
    await until(`seed ${seed}: one is left`, async () => {
      clock.advance(1000);
      return (await engine.list(OWNER)).length === 1;
    });
    t.deepEqual(mesh.spec('one')?.source, running('retooled').source, `seed ${seed}`);
    t.is(mesh.get('one').toolCount, 3, `seed ${seed}`);
    t.true(mesh.standing('one')[0]?.available, `seed ${seed}`);
  }
});
