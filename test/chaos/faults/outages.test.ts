import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { compose, dockerInside } from '../../e2e/harness.ts';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { Witness } from '../witness.ts';
import { breakOne, SERVER, startWorld, underFault } from '../world.ts';

/** An outage lasts so long: time itself is the subject. */
const MINUTE_MS = 60_000;

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await compose('start', 'redis', 'dind');
  await mesh?.end();
});

test.serial(
  '200 calls in flight: Redis is stopped for a minute, the engine for a minute, a replica paused, another out of memory; the API tells the truth throughout',
  async (t) => {
    t.timeout(290_000);
    const witness = new Witness(mesh, process.env.GANTRY_TEST_REDIS_URL ?? '');
    t.teardown(() => witness.close());
    const { answers, failed } = await underFault(t, mesh, async () => {
      await compose('stop', 'redis');
      const redisIsBack = delay(MINUTE_MS).then(() => compose('start', 'redis'));

      // Without Redis the mesh repairs itself all the same.
      const [paused = ''] = await mesh.containers(SERVER);
      await dockerInside('pause', paused);
      const refused = await mesh.api('POST', `/api/v1/servers/${SERVER}/scale`, { replicas: 3 });
      t.is(refused.status, 503);
      await replaced([paused]);
      await mesh.whole([SERVER]);
      const before = await mesh.containers(SERVER);
      await breakOne(mesh, 'memory');
      await replaced(before);
      await mesh.whole([SERVER]);
      t.is((await mesh.api('GET', '/readyz')).status, 503, 'all of it was without Redis');

      // Redis comes back to a mesh without an engine.
      const all = await mesh.containers(SERVER);
      await compose('stop', 'dind');
      const engineIsBack = delay(MINUTE_MS).then(() => compose('start', 'dind'));
      await Promise.all([redisIsBack, engineIsBack]);
      await until('all containers are new', async () => {
        const now = await mesh.containers(SERVER);
        return now.length === all.length && !now.some((id) => all.includes(id));
      });
      await until('it is ready', async () => (await mesh.api('GET', '/readyz')).status === 200);
    });
    await witness.close();
    t.deepEqual(witness.lies, []);
    t.true(answers > 0 && failed.length > 0);
    const { engine, redis } = witness.looksWithout;
    t.true(Math.min(engine, redis) >= 5, `${engine} looks without the engine, ${redis} without Redis`);
    const awayMs = [witness.awayMs('engine'), witness.awayMs('redis')];
    t.true(Math.min(...awayMs) > 0.9 * MINUTE_MS, `${awayMs}`);
    t.log(
      `${witness.looks} looks; a dead replica was said to be ready for ${witness.longestSaidReadyMs} ms at most`,
    );
  },
);

/** At least one of them is gone. */
async function replaced(before: readonly string[]): Promise<void> {
  await until('it is replaced', async () => {
    const now = await mesh.containers(SERVER);
    return before.some((id) => !now.includes(id));
  });
}
