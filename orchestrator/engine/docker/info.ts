import type { EngineInfo } from '../engine.ts';
import { ask, type DockerConnection, QUICK_MS } from './connection.ts';

const LIMITS = [
  ['memory', 'MemoryLimit'],
  ['swap', 'SwapLimit'],
  ['cpus', 'CpuCfsQuota'],
  ['pids', 'PidsLimit'],
] as const;

export async function readInfo(connection: DockerConnection): Promise<EngineInfo> {
  const apiVersion = await connection.apiVersion();
  const answer = await connection.request('engine', QUICK_MS, (docker, signal) =>
    ask(docker, 'info', signal),
  );
  const info = answer as Record<string, unknown>;
  return {
    version: String(info.ServerVersion),
    apiVersion,
    // Only an explicit true counts: a limit the engine does not speak of is a limit it may ignore.
    ignoredLimits: LIMITS.filter(([, field]) => info[field] !== true).map(([name]) => name),
    memoryBytes: Number(info.MemTotal),
    cpus: Number(info.NCPU),
  };
}
