import type { BreakerPolicy, HealthPolicy } from '../../orchestrator/kernel/index.ts';
import type { CallBreaker } from '../../orchestrator/replica/index.ts';

/** As configured by default. */
export const BREAKER: BreakerPolicy = {
  consecutiveFailures: 5,
  failurePercent: 50,
  minCalls: 20,
  windowMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 300_000,
};
export const HEALTH: HealthPolicy = { intervalMs: 10_000, timeoutMs: 5000, rise: 1, fall: 3 };

/** For replicas whose breaker is not the question. */
export const neverTrips: CallBreaker = { state: 'closed', record: () => {} };
