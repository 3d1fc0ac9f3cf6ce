import type { ContainerSpec } from '../../orchestrator/engine/index.ts';

/** A container of which a test says only what it is about. */
export function containerSpec(over: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'one',
    image: 'program',
    command: null,
    args: [],
    env: {},
    labels: {},
    limits: { memoryBytes: 64 * 1024 * 1024, cpus: 1, pids: 32, nofile: 256 },
    network: 'none',
    runtime: 'runc',
    volume: null,
    bridge: null,
    ...over,
  };
}
