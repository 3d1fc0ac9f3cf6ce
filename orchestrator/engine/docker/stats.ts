import type { ContainerStats as DockerStats } from 'dockerode';
import type { ContainerFacts, ContainerStats } from '../engine.ts';
import type { DockerConnection } from './connection.ts';
import { QUICK_MS } from './connection.ts';

/** Between the two readings CPU use is computed from. Docker's own way waits a second or two. */
const SAMPLE_MS = 250;

/** @param oomKills as counted from events: Docker's statistics have no such number. */
export async function readStats(
  connection: DockerConnection,
  facts: ContainerFacts,
  oomKills: number,
): Promise<ContainerStats> {
  const running = facts.state === 'running' || facts.state === 'paused';
  if (!running) {
    const { memoryBytes, pids } = facts.limits;
    return {
      cpuPercent: 0,
      memoryBytes: 0,
      memoryLimitBytes: memoryBytes,
      pids: 0,
      pidsLimit: pids,
      oomKills,
    };
  }
  const first = await sample(connection, facts.id);
  await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  const second = await sample(connection, facts.id);
  return {
    cpuPercent: cpuPercent(first, second),
    memoryBytes: memoryInUse(second),
    memoryLimitBytes: second.memory_stats.limit ?? facts.limits.memoryBytes,
    pids: second.pids_stats?.current ?? 0,
    pidsLimit: second.pids_stats?.limit ?? facts.limits.pids,
    oomKills,
  };
}

function sample(connection: DockerConnection, id: string): Promise<DockerStats> {
  return connection.request('container', QUICK_MS, (docker, abortSignal) =>
    docker.getContainer(id).stats(oneShot(abortSignal)),
  );
}

/** dockerode's types do not know the signal here. */
function oneShot(abortSignal: AbortSignal): { stream: false; 'one-shot': true } {
  const options = { stream: false, 'one-shot': true, abortSignal } as const;
  return options;
}

/** 100 is one core fully used. Both counters are nanoseconds. */
export function cpuPercent(first: DockerStats, second: DockerStats): number {
  const used = (second.cpu_stats.cpu_usage?.total_usage ?? 0) - (first.cpu_stats.cpu_usage?.total_usage ?? 0);
  const elapsed = (Date.parse(second.read) - Date.parse(first.read)) * 1e6;
  if (!(elapsed > 0) || used <= 0) return 0;
  return Math.round((used / elapsed) * 10_000) / 100;
}

/** Page cache that can be dropped at once is not in use; its name differs between the cgroup versions. */
export function memoryInUse(stats: DockerStats): number {
  const { usage = 0, stats: detail } = stats.memory_stats;
  const fields = (detail ?? {}) as unknown as Record<string, number | undefined>;
  const cache = fields.total_inactive_file ?? fields.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}
