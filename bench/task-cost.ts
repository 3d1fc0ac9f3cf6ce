import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { quantile, type Spread, spreadOf } from './quantiles.ts';

const SERVER = 'bench-tasks';
const ENDED = 'gantry_tasks_ended_total{topic="mcp",outcome="done"}';
const CPU_SECONDS = 'gantry_process_cpu_seconds_total';
/** Each look costs the orchestrator a page of metrics. */
const POLL_MS = 50;
/** A mesh that executes nothing any more is not waited for. */
const GIVE_UP_MS = 120_000;

/** Who enqueues: producers in a closed loop, each waiting for its answer; a batch is one request of so many tasks. */
const LOADS = [
  { producers: 1, batch: 1, tasks: 1000 },
  { producers: 20, batch: 1, tasks: 5000 },
  { producers: 20, batch: 100, tasks: 20_000 },
] as const;

export type TaskCostRow = {
  readonly producers: number;
  readonly batch: number;
  readonly tasks: number;
  /** Until the last request was answered: every task of it is on disk. */
  readonly enqueuedPerSecond: Spread;
  /** Of a request, milliseconds. */
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** From the first request until the last result was on disk, executed by a real server in a container. */
  readonly finishedPerSecond: Spread;
  /** Processor time of the orchestrator for one task, microseconds: the figure that a busy machine changes least. */
  readonly cpuUs: Spread;
  readonly refused: number;
};

/** Tasks per second through enqueue, execution of an echo and result. */
export async function measureTaskCost(
  gateway: Gateway,
  engine: BenchEngine,
  rounds: number,
): Promise<TaskCostRow[]> {
  const command = ['node', '-e', ECHO_SERVER];
  await gateway.deploy(SERVER, { image: engine.bridgeImage, command, sharing: 'shared', replicas: 2 });
  const token = await gateway.callToken();
  const pool = new Pool(gateway.url, { connections: 20, pipelining: 1 });
  try {
    const rows: TaskCostRow[] = [];
    for (const load of LOADS) {
      const measured = [];
      for (let round = 0; round < rounds; round++)
        measured.push(await measureLoad(gateway, pool, token, load));
      rows.push({
        ...load,
        enqueuedPerSecond: spreadOf(measured.map((one) => one.enqueuedPerSecond)),
        p50Ms: spreadOf(measured.map((one) => one.p50Ms)),
        p99Ms: spreadOf(measured.map((one) => one.p99Ms)),
        finishedPerSecond: spreadOf(measured.map((one) => one.finishedPerSecond)),
        cpuUs: spreadOf(measured.map((one) => one.cpuUs)),
        refused: measured.reduce((sum, one) => sum + one.refused, 0),
      });
    }
    return rows;
  } finally {
    await pool.close();
    await gateway.remove(SERVER);
  }
}

async function measureLoad(gateway: Gateway, pool: Pool, token: string | null, load: (typeof LOADS)[number]) {
  const { producers, batch, tasks } = load;
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const task = { task_type: `${SERVER}/echo`, payload: { message: 'x'.repeat(64) } };
  const path = `/api/v1/mesh/v2/enqueue${batch === 1 ? '' : '/batch'}`;
  const body = JSON.stringify(batch === 1 ? task : { tasks: Array.from({ length: batch }, () => task) });
  const samples: number[] = [];
  let sent = 0;
  let refused = 0;
  const before = await ended(gateway);
  const cpuBefore = await gateway.metric(CPU_SECONDS);
  const beganAt = performance.now();
  const produce = async (): Promise<void> => {
    while (sent < tasks) {
      sent += batch;
      const startedAt = performance.now();
      const answer = await pool.request({ method: 'POST', path, headers, body });
      await answer.body.dump();
      samples.push(performance.now() - startedAt);
      if (answer.statusCode !== 200) refused += batch;
    }
  };
  await Promise.all(Array.from({ length: producers }, produce));
  const enqueuedSeconds = (performance.now() - beganAt) / 1000;
  while ((await ended(gateway)) - before < sent - refused) {
    if (performance.now() - beganAt > GIVE_UP_MS) throw new Error('Tasks are not executed any more.');
    await sleep(POLL_MS);
  }
  const finishedSeconds = (performance.now() - beganAt) / 1000;
  const cpuSeconds = (await gateway.metric(CPU_SECONDS)) - cpuBefore;
  samples.sort((a, b) => a - b);
  return {
    enqueuedPerSecond: sent / enqueuedSeconds,
    p50Ms: quantile(samples, 0.5),
    p99Ms: quantile(samples, 0.99),
    finishedPerSecond: (sent - refused) / finishedSeconds,
    cpuUs: (cpuSeconds / sent) * 1e6,
    refused,
  };
}

/** Before the first one there is no such metric. */
async function ended(gateway: Gateway): Promise<number> {
  return gateway.metric(ENDED).catch(() => 0);
}
