import { measureBalanceCost } from './balance-cost.ts';
import { balanceCostTable } from './balance-report.ts';
import { type Chapter, chapter } from './chapter.ts';
import { measureCrashCost } from './crash-cost.ts';
import { measureDeployCost } from './deploy-cost.ts';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import { measureFloodCost } from './flood-cost.ts';
import type { Gateway } from './gateway.ts';
import { measureIdleCost } from './idle-cost.ts';
import { measureListCost } from './list-cost.ts';
import { measureMemoryCost } from './memory-cost.ts';
import {
  crashCostTable,
  deployCostTable,
  floodCostTable,
  idleCostTable,
  listCostTable,
  memoryCostTable,
  taskCostTable,
  warmCostTable,
} from './report.ts';
import { measureTaskCost } from './task-cost.ts';
import { measureWarmCost } from './warm-cost.ts';

const OWN = 'bench-echo';
const SESSIONS = 20;

/** What Gantry does that the others have nothing to set against. */
export const OWN_CHAPTERS: readonly Chapter[] = [
  // First, because memory that was used once is rarely given back.
  chapter(
    'memory',
    {},
    ({ gateway, engine }) => withOwn(gateway, engine, () => measureMemoryCost(gateway, OWN, SESSIONS)),
    memoryCostTable,
  ),
  chapter(
    'idle',
    {},
    ({ gateway, engine, isQuick }) => measureIdleCost(gateway, engine, isQuick),
    idleCostTable,
  ),
  chapter('lists', {}, ({ gateway, engine }) => measureListCost(gateway, engine), listCostTable),
  chapter(
    'deploy',
    {},
    ({ gateway, engine, rounds }) => measureDeployCost(gateway, engine, rounds),
    deployCostTable,
  ),
  chapter(
    'warm',
    {},
    ({ gateway, engine, rounds }) => measureWarmCost(gateway, engine, rounds),
    warmCostTable,
  ),
  chapter(
    'crash',
    { isSlow: true },
    ({ gateway, engine, rounds }) => measureCrashCost(gateway, engine, rounds),
    crashCostTable,
  ),
  chapter(
    'flood',
    { isSlow: true },
    ({ gateway, engine, say }) => withOwn(gateway, engine, () => measureFloodCost(gateway, engine, OWN, say)),
    floodCostTable,
  ),
  chapter(
    'balance',
    { isSlow: true },
    ({ gateway, engine, rounds }) => measureBalanceCost(gateway, engine, rounds),
    balanceCostTable,
  ),
  chapter(
    'tasks',
    { isSlow: true },
    async ({ gateway, engine, rounds }) => {
      await gateway.remove('bench-tasks'); // of an interrupted run
      return await measureTaskCost(gateway, engine, rounds);
    },
    taskCostTable,
  ),
];

/** With a server whose sessions have a container each. */
async function withOwn<T>(gateway: Gateway, engine: BenchEngine, act: () => Promise<T>): Promise<T> {
  await gateway.remove(OWN); // of an interrupted run
  const entry = {
    image: engine.bridgeImage,
    command: ['node', '-e', ECHO_SERVER],
    maxSessions: SESSIONS + 5,
  };
  await gateway.deploy(OWN, entry);
  try {
    return await act();
  } finally {
    await gateway.remove(OWN);
  }
}
