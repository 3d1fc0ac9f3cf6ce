import test from 'ava';
import { until } from '../../e2e/until.ts';
import type { HostOrchestrator } from '../host-orchestrator.ts';
import { SERVER, startWorld, underFault } from '../world.ts';

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(280_000);
  mesh = await startWorld();
});
test.after.always(async (t) => {
  t.timeout(120_000);
  await mesh?.end();
});

test.serial('200 calls in flight: every connection to the engine is reset', async (t) => {
  t.timeout(180_000);
  const before = await mesh.containers(SERVER);
  await underFault(t, mesh, async () => {
    mesh.engine.resetAll();
    await replaced(before);
  });
});

test.serial('200 calls in flight: the engine is in a blackhole until the calls have timed out', async (t) => {
  t.timeout(240_000);
  const before = await mesh.containers(SERVER);
  await underFault(t, mesh, async () => {
    mesh.engine.suffer({ blackhole: true });
    await until('it is told', async () => (await mesh.api('GET', '/readyz')).status === 503);
    mesh.engine.suffer({});
    // What was lost on these connections is lost for good: TCP would have broken them by now.
    mesh.engine.resetAll();
    await replaced(before);
  });
});

test.serial('200 calls in flight: the engine is slow, and everything arrives in small pieces', async (t) => {
  t.timeout(180_000);
  const before = await mesh.containers(SERVER);
  const { failed } = await underFault(t, mesh, async () => {
    mesh.engine.suffer({ latencyMs: 50, sliceBytes: 400 });
    await until('it has gone on like this', answersMore(100));
    mesh.engine.suffer({});
  });
  t.deepEqual(failed, []);
  t.deepEqual(await mesh.containers(SERVER), before);
});

test.serial('200 calls in flight: Redis resets, is slow, and is gone', async (t) => {
  t.timeout(180_000);
  const before = await mesh.containers(SERVER);
  const { failed } = await underFault(t, mesh, async () => {
    mesh.redis.resetAll();
    mesh.redis.suffer({ latencyMs: 1000 });
    await until('it has gone on like this', answersMore(200));
    mesh.redis.suffer({});
    mesh.redis.refuse(true);
    mesh.redis.resetAll();
    await until('it is told', async () => (await mesh.api('GET', '/readyz')).status === 503);
    const refused = await mesh.api('POST', `/api/v1/servers/${SERVER}/scale`, { replicas: 3 });
    t.is(refused.status, 503);
    mesh.redis.refuse(false);
    await until('it is back', async () => (await mesh.api('GET', '/readyz')).status === 200);
  });
  t.deepEqual(failed, []);
  t.deepEqual(await mesh.containers(SERVER), before);
});

async function replaced(before: readonly string[]): Promise<void> {
  await until('all containers are replaced', async () => {
    const now = await mesh.containers(SERVER);
    return now.length === before.length && !before.some((id) => now.includes(id));
  });
}

/** By the metrics: so many more calls than now have been answered. */
function answersMore(count: number): () => Promise<boolean> {
  const first = answered();
  return async () => (await answered()) >= (await first) + count;
}

async function answered(): Promise<number> {
  const text = await mesh.metrics();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('gantry_calls_total') && line.includes('outcome="ok"'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
