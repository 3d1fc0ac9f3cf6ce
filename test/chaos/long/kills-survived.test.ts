import test, { type ExecutionContext } from 'ava';
import { ready } from '../../e2e/changes.ts';
import { reachedOver } from '../../e2e/channels.ts';
import { api, type Container, containersOf, textOf } from '../../e2e/harness.ts';
import { type McpSession, openSession } from '../../e2e/mcp-session.ts';
import { addServer, fixtureEntry, removeServer } from '../../e2e/own-server.ts';
import { until } from '../../e2e/until.ts';
import { killAndStart, labelledContainers } from '../../e2e-serial/orchestrator.ts';

const KILLS = 100;
const REPLICAS = 4;

let name = '';

test.before(async (t) => {
  t.timeout(600_000);
  name = await addServer('survivor', {
    ...(await fixtureEntry('counted.py')),
    data: '/data',
    sharing: 'shared',
    replicas: REPLICAS,
  });
  await ready(name, REPLICAS);
});
test.after.always(async (t) => {
  t.timeout(60_000);
  await removeServer(name);
});

test.serial(
  `${KILLS} kill -9 of the orchestrator of the stack cost no container and no session, and nothing strays`,
  async (t) => {
    t.timeout(60 * 60_000);
    const session = await openSession(t, name);
    const before = await idsOf(name);
    t.is(before.length, REPLICAS);
    await reachedOver(t, name, 'socket');
    for (let kill = 1; kill <= KILLS; kill++) {
      await killAndStart();
      await ready(name, REPLICAS);
      t.deepEqual(await idsOf(name), before, `kill ${kill}`);
      t.is(await runOnce(t, session, `kill-${kill}`), '1');
      // Servers of the stack that never come up are started again and again: what is just being made is not shown yet.
      const unshown = await notShown();
      await until('what the engine has and the API does not show goes', async () => {
        const left = await notShown();
        return !unshown.some((id) => left.includes(id));
      });
    }
  },
);

/** The session goes on, and what it asks runs once. */
async function runOnce(t: ExecutionContext, session: McpSession, mark: string): Promise<string> {
  const ran = await session.call(mark, 'run', { mark, ms: 1 });
  t.is(ran.error, undefined, JSON.stringify(ran));
  return textOf((await session.call(`${mark}-runs`, 'runs', { mark })).result);
}

/**
 * Containers of servers on the engine that the API does not know. A helper of the engine's adapter that a kill cut off
 * (`gantry.helper`, never started or ended) is none: the first start three minutes later removes it.
 */
async function notShown(): Promise<readonly string[]> {
  const onEngine = await labelledContainers('gantry.server');
  const { text } = await api('GET', '/api/v1/containers');
  const { containers } = JSON.parse(text) as { containers: readonly Container[] };
  return onEngine.filter((id) => !containers.some((shown) => shown.id === id));
}

async function idsOf(server: string): Promise<readonly string[]> {
  return (await containersOf(server)).map(({ id }) => id).sort();
}
