import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { type Spread, spreadOf } from './quantiles.ts';
import { type SteadyResult, steadyLoad } from './steady-load.ts';
import { ToolClient } from './tool-client.ts';
import { WORKER_SERVER } from './worker-server.ts';

const SERVER = 'bench-worker';
const POLL_MS = 100;
/** One call of the server that is scaled: with one at a time a replica does ten of them in a second. */
const SCALED_WORK_MS = 100;
const POOL_SIZES = [1, 4, 16] as const;
/** One call of the pool with a slow replica, where it takes ten times as long. */
const SPREAD_WORK_MS = 20;
const SPREAD_REPLICAS = 4;
const SPREAD_IN_FLIGHT = 16;
/** Past the worst call, so that what is measured is the steady state of a closed loop. */
const WARM_MS = 5000;
const MEASURE_MS = 10_000;

export type ScaleRow = {
  readonly replicas: number;
  readonly rounds: readonly SteadyResult[];
  /** Of what so many processes could do at best, their calls one after the other without a pause. */
  readonly efficiency: Spread;
};

export type SpreadRow = {
  readonly balance: object;
  readonly label: string;
  readonly rounds: readonly SteadyResult[];
};

export type BalanceCost = { readonly scale: readonly ScaleRow[]; readonly spread: readonly SpreadRow[] };

const SPREADS: readonly { readonly label: string; readonly balance: object }[] = [
  { label: 'round_robin', balance: { strategy: 'round_robin', maxInFlight: null } },
  { label: 'least_connections', balance: { strategy: 'least_connections', maxInFlight: null } },
  { label: 'peak_ewma', balance: { strategy: 'peak_ewma', maxInFlight: null } },
  { label: 'least_connections, maxInFlight 1', balance: { strategy: 'least_connections', maxInFlight: 1 } },
];

/** What more replicas bring, and what a slow one costs by strategy. The rounds of all strategies are in turns. */
export async function measureBalanceCost(
  gateway: Gateway,
  engine: BenchEngine,
  rounds: number,
): Promise<BalanceCost> {
  const scale: ScaleRow[] = [];
  for (const replicas of POOL_SIZES) scale.push(await measureScale(gateway, engine, replicas, rounds));
  return { scale, spread: await measureSpread(gateway, engine, rounds) };
}

async function measureScale(
  gateway: Gateway,
  engine: BenchEngine,
  replicas: number,
  rounds: number,
): Promise<ScaleRow> {
  return await withWorkers(gateway, engine, replicas, { maxInFlight: 1 }, async (client) => {
    const results: SteadyResult[] = [];
    for (let round = 0; round < rounds; round++) {
      // Twice as many as can be worked on: a place that becomes free is filled from the queue at once.
      const load = { inFlight: replicas * 2, warmMs: 1000, measureMs: MEASURE_MS };
      results.push(await steadyLoad(() => client.call('work', { ms: SCALED_WORK_MS }), load));
    }
    const best = (replicas * 1000) / SCALED_WORK_MS;
    return {
      replicas,
      rounds: results,
      efficiency: spreadOf(results.map(({ perSecond }) => perSecond / best)),
    };
  });
}

async function measureSpread(gateway: Gateway, engine: BenchEngine, rounds: number): Promise<SpreadRow[]> {
  return await withWorkers(gateway, engine, SPREAD_REPLICAS, {}, async (client) => {
    await slowOneDown(client);
    const results = SPREADS.map((one) => ({ ...one, rounds: [] as SteadyResult[] }));
    for (let round = 0; round < rounds; round++) {
      for (const { balance, rounds: seen } of round % 2 === 0 ? results : results.toReversed()) {
        await gateway.patch(SERVER, { balance });
        const load = { inFlight: SPREAD_IN_FLIGHT, warmMs: WARM_MS, measureMs: MEASURE_MS };
        seen.push(await steadyLoad(() => client.call('work', { ms: SPREAD_WORK_MS }), load));
      }
    }
    return results;
  });
}

async function withWorkers<T>(
  gateway: Gateway,
  engine: BenchEngine,
  replicas: number,
  balance: object,
  measure: (client: ToolClient) => Promise<T>,
): Promise<T> {
  await gateway.remove(SERVER); // of an interrupted run
  const command = ['node', '-e', WORKER_SERVER];
  const resources = { memory: '128MiB', cpus: 1, pids: 64 };
  const entry = { image: engine.bridgeImage, command, sharing: 'shared', replicas, resources, balance };
  const token = await gateway.callToken();
  const client = new ToolClient({ url: gateway.url, server: SERVER, connections: 64, token });
  try {
    await gateway.deploy(SERVER, entry);
    while ((await gateway.server(SERVER))?.replicas.ready !== replicas) await sleep(POLL_MS);
    return await measure(client);
  } finally {
    await client.close();
    await gateway.remove(SERVER);
  }
}

/** An idle pool takes turns, so each replica is asked soon. */
async function slowOneDown(client: ToolClient): Promise<void> {
  const host = await client.call('host');
  while ((await client.call('slow_down', { host })) !== 'slowed');
}
