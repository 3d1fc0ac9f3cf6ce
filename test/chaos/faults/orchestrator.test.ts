import test from 'ava';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { Load } from '../load.ts';
import { allInFlight, ended, judged, SERVER, startWorld, TELLING, underFault } from '../world.ts';

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

test.serial('200 calls in flight: SIGKILL of the orchestrator', async (t) => {
  t.timeout(180_000);
  const before = await mesh.containers();
  await underFault(t, mesh, async () => {
    t.is(await mesh.signal('SIGKILL'), null);
    mesh.launch();
    await mesh.whole([SERVER]);
  });
  const after = await mesh.containers();
  t.false(before.some((id) => after.includes(id)));
});

test.serial('200 calls in flight: SIGTERM of the orchestrator answers every one of them', async (t) => {
  t.timeout(180_000);
  const load = new Load({ url: mesh.url, server: SERVER, telling: TELLING });
  await load.start();
  await allInFlight(mesh);
  const stopped = mesh.signal('SIGTERM');
  await ended(load);
  t.is(await stopped, 0);
  t.deepEqual(await mesh.containers(), []);
  mesh.launch();
  await mesh.whole([SERVER]);
  await judged(t, mesh, load);
  // What failed had not been taken: nothing that was begun is without its answer.
  const cut = [...load.history.failures].filter(([, why]) => !/ECONNREFUSED|ECONNRESET|no_replica/.test(why));
  t.deepEqual(cut, []);
});

test.serial('200 calls in flight: the clock jumps an hour ahead and back', async (t) => {
  t.timeout(120_000);
  const before = await mesh.containers();
  const { failed } = await underFault(t, mesh, async () => {
    for (const signal of ['SIGUSR2', 'SIGHUP'] as const) {
      const seen = mesh.jumps;
      mesh.poke(signal);
      await until('the clock has jumped', async () => mesh.jumps > seen);
    }
  });
  t.deepEqual(failed, []);
  t.deepEqual(await mesh.containers(), before);
});
