import * as z from 'zod';

/** Node fires a longer timer at once instead of late (`TIMEOUT_MAX`). */
const longestTimeoutMs = 2 ** 31 - 1;

const milliseconds = (least: number) => z.int().min(least).max(longestTimeoutMs);
const count = () => z.int().min(1).max(1_000_000);

/**
 * Five failures in a row: Envoy's and Finagle's number. Half of at least twenty calls within ten seconds: Hystrix's.
 * Thirty seconds, times how often in a row, up to five minutes: Envoy's ejection time.
 */
export const BreakerKeys = z.strictObject({
  consecutiveFailures: count()
    .default(5)
    .describe(
      'Calls in a row that fail or time out before a replica is taken out; also starts in a row that fail before starts are refused.',
    ),
  failurePercent: z
    .number()
    .min(1)
    .max(100)
    .default(50)
    .describe('Share of the calls within windowMs that fail or time out.'),
  minCalls: count().default(20).describe('Fewer calls within windowMs say nothing about a share.'),
  windowMs: milliseconds(100).default(10_000).describe('What failurePercent looks back at.'),
  ejectMs: milliseconds(1)
    .default(30_000)
    .describe('How long starts that keep failing are refused, times how often in a row that happened.'),
  maxEjectMs: milliseconds(1).default(300_000).describe('Ceiling of that.'),
});

/**
 * Asked every ten seconds, given up after three questions: Kubernetes' period and failure threshold. Its timeout of
 * one second fits web servers; five leave room for a loaded machine. One answer is enough: Kubernetes, Finagle.
 */
export const HealthKeys = z.strictObject({
  intervalMs: milliseconds(0)
    .default(10_000)
    .describe('Silence after which a replica is asked (MCP ping), and between two questions. 0: never.'),
  timeoutMs: milliseconds(1).default(5000).describe('How long one question waits for its answer.'),
  rise: count().default(1).describe('Answers in a row before a replacement gets calls.'),
  fall: count().default(3).describe('Questions in a row without an answer before a replica is replaced.'),
});
