import test from 'ava';
import { dockerInside, metric } from '../e2e/harness.ts';
import { initializeRequest, openSession, postMcp } from '../e2e/mcp-session.ts';
import { readyServer } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

const GIB = 1024 ** 3;

async function engineContainers(name: string): Promise<number> {
  const ids = await dockerInside('ps', '-aq', '--filter', `label=gantry.server=${name}`);
  return ids.split('\n').filter((id) => id !== '').length;
}

test.serial(
  'what the memory budget has no room for is refused with the reason, and is not started',
  async (t) => {
    t.timeout(180_000);
    const budget = await metric('gantry_memory_budget_bytes');
    const free = budget - (await metric('gantry_memory_committed_bytes'));
    // Room for two and not for three.
    const each = Math.floor(free / 2.5);
    const name = await readyServer(t, 'plain.py', { resources: { memory: each } });
    const session = await openSession(t, name);
    t.is(await engineContainers(name), 2);
    const refused = await postMcp(name, initializeRequest());
    t.is(refused.status, 503);
    t.regex(String(refused.headers['retry-after']), /^\d+$/);
    const { error } = JSON.parse(refused.text);
    t.like(error.data, { code: 'no_replica', reason: 'no_memory', neededBytes: each, budgetBytes: budget });
    t.true(error.data.freeBytes < each && error.data.freeBytes >= 0);
    t.is(await engineContainers(name), 2, 'the engine has nothing more');
    t.is(await metric('gantry_memory_refused_total', `server="${name}"`, 'claimant="session"'), 1);
    await session.end();
    await until('there is room again', () => openSession(t, name));
    t.true(budget >= GIB);
  },
);
