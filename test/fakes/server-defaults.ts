import { ALL_TOOLS, type ServerSpec } from '../../orchestrator/kernel/index.ts';
import { BREAKER, HEALTH } from './policies.ts';

/** What a server is of which only the source is given, as docs/configuration.md has it. */
export const SERVER_DEFAULTS: Omit<ServerSpec, 'name' | 'source'> = {
  origin: 'file',
  args: [],
  env: {},
  sharing: 'session',
  replicas: 1,
  scaling: { max: 1, warm: 0, targetInFlight: 4, scaleDownAfterMs: 300_000 },
  idle: { pauseAfterMs: null, stopAfterMs: null },
  maxSessions: 20,
  resources: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 128 },
  network: 'none',
  channel: 'auto',
  runtime: 'runc',
  data: null,
  timeouts: {
    readyMs: 60_000,
    callTimeoutMs: 60_000,
    maxCallMs: 3_600_000,
    sessionIdleMs: 1_800_000,
    drainMs: 20_000,
  },
  breaker: BREAKER,
  health: HEALTH,
  balance: {
    strategy: 'least_connections',
    weights: {},
    maxInFlight: null,
    queueSize: 1024,
    queueTimeoutMs: 10_000,
    slowStartMs: 30_000,
  },
  retries: { budgetPercent: 20, minPerSecond: 10, attempts: 2 },
  port: null,
  dependsOn: [],
  rollout: { watchMs: 10_000, sessionsMs: 1_800_000 },
  tools: ALL_TOOLS,
  disabled: null,
};
