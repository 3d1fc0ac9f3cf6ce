import * as z from 'zod';

/** Calls one replica may have at most, as in `channel/link.ts`: a higher limit would never be reached. */
const mostInFlight = 1024;
/** Ten minutes: no client waits longer for a place. */
const longestWaitMs = 600_000;
/** gRPC's ceiling (proposal A6). */
const mostAttempts = 5;

/**
 * Defaults: as many waiting calls as Envoy lets wait (`max_pending_requests` 1024), each for less than clients commonly
 * wait for an answer (60 s), and the slow start that docs of Envoy and HAProxy show (30 s).
 */
export const Balance = z.strictObject({
  strategy: z
    .enum(['least_connections', 'peak_ewma', 'round_robin', 'weighted', 'random', 'consistent_hash'])
    .default('least_connections')
    .describe(
      'Which replica gets a call: least_connections = fewest calls in flight, peak_ewma = the quicker of two, round_robin = in turns, weighted = in turns by weights, random, consistent_hash = the same one for the same principal.',
    ),
  weights: z
    .record(
      z.string().regex(/^[1-9][0-9]{0,2}$/, { error: 'must be the number of a replica, such as "1"' }),
      z.int().min(1).max(1000),
    )
    .default({})
    .describe('For strategy weighted: shares by the number of the replica, {"1": 3}; 1 where none is given.'),
  maxInFlight: z
    .int()
    .min(1)
    .max(mostInFlight)
    .optional()
    .describe('Calls that one replica works on at a time; what comes beyond that waits. Absent: no limit.'),
  queueSize: z
    .int()
    .min(0)
    .max(100_000)
    .default(1024)
    .describe('Calls that may wait for a replica; over it 429 with Retry-After. 0: none waits.'),
  queueTimeoutMs: z
    .int()
    .min(1)
    .max(longestWaitMs)
    .default(10_000)
    .describe('How long a call may wait for a replica; then 503 with Retry-After.'),
  slowStartMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('A replica that joins a running pool gets its full share only after so long. 0: at once.'),
});

/** Defaults: Finagle's retry budget (20 % and 10 per second), and one try more, as there is mostly one replica more. */
export const Retries = z.strictObject({
  budgetPercent: z
    .int()
    .min(0)
    .max(100)
    .default(20)
    .describe('Retries in percent of the calls of the last ten seconds.'),
  minPerSecond: z
    .int()
    .min(0)
    .max(1000)
    .default(10)
    .describe('Retries per second that are allowed beside those, for servers with few calls.'),
  attempts: z
    .int()
    .min(1)
    .max(mostAttempts)
    .default(2)
    .describe('How often one call is tried in all; 1: never again.'),
});
