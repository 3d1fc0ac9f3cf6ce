import test from 'ava';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { SERVER, startWorld } from '../world.ts';

const KILLS = 100;

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

test.serial(`after ${KILLS} kill -9 of the orchestrator nothing strays`, async (t) => {
  t.timeout(60 * 60_000);
  let before = await mesh.containers();
  for (let kill = 1; kill <= KILLS; kill++) {
    await mesh.signal('SIGKILL');
    mesh.launch();
    // Whole: exactly the containers that the API knows are on the engine.
    await mesh.whole([SERVER]);
    const after = await mesh.containers();
    t.is(after.length, 4);
    t.false(after.some((id) => before.includes(id)));
    before = after;
  }
});
