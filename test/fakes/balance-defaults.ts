import type { ServerSpec } from '../../orchestrator/kernel/index.ts';

/** As docs/configuration.md has them. */
export const BALANCE_DEFAULTS: Pick<ServerSpec, 'balance' | 'retries'> = {
  balance: {
    strategy: 'least_connections',
    weights: {},
    maxInFlight: null,
    queueSize: 1024,
    queueTimeoutMs: 10_000,
    slowStartMs: 30_000,
  },
  retries: { budgetPercent: 20, minPerSecond: 10, attempts: 2 },
};
