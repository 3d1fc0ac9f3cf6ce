import * as z from 'zod';
import type { Idle, Scaling } from '../kernel/index.ts';
import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';

/** As the API allows: a typing error should not start a thousand containers. */
const MOST_REPLICAS = 100;
/** Shorter, and a replica would be put to rest between two calls of one conversation. */
const LEAST_IDLE_MS = 1000;
/** Node fires a longer timer at once instead of late (`TIMEOUT_MAX`). */
const LONGEST_MS = 2 ** 31 - 1;

const count = (least: number) => z.int().min(least).max(MOST_REPLICAS);

/** `{min, max, warm}`. A bare number N is short for min = max = N. */
export const ReplicaRange = z
  .strictObject({
    min: count(1).default(1).describe('Standing replicas that are always there.'),
    max: count(1)
      .optional()
      .describe('Standing replicas under load; min by default. Above min only with sharing: shared.'),
    warm: count(0)
      .default(0)
      .describe(
        'Spares: started in advance, handed to new sessions and calls or in place of a dead replica.',
      ),
    targetInFlight: z
      .int()
      .min(1)
      .max(1000)
      .default(4)
      .describe('Calls in flight or queued for each replica that scaling aims at.'),
    scaleDownAfterMs: z
      .int()
      .min(1000)
      .max(LONGEST_MS)
      .default(300_000)
      .describe('So long fewer replicas must have been enough before some are ended.'),
  })
  .superRefine(({ min, max }, context) => {
    if (max !== undefined && max < min) {
      context.addIssue({ code: 'custom', path: ['max'], message: `must be at least min, which is ${min}` });
    }
  });

export const Replicas = z.union([count(1), ReplicaRange], {
  error: `must be a whole number from 1 to ${MOST_REPLICAS}, or a map with min, max and warm`,
});

export const IdleRest = z
  .strictObject({
    pauseAfterMs: z
      .int()
      .min(LEAST_IDLE_MS)
      .max(LONGEST_MS)
      .optional()
      .describe('Standing replicas without a call for so long are paused; the next call resumes them.'),
    stopAfterMs: z
      .int()
      .min(LEAST_IDLE_MS)
      .max(LONGEST_MS)
      .optional()
      .describe('Without a call for so long they are stopped; the next call starts them and waits.'),
  })
  .superRefine(({ pauseAfterMs, stopAfterMs }, context) => {
    if (pauseAfterMs === undefined || stopAfterMs === undefined || stopAfterMs > pauseAfterMs) return;
    context.addIssue({
      code: 'custom',
      path: ['stopAfterMs'],
      message: `must be more than pauseAfterMs, which is ${pauseAfterMs}`,
    });
  });

export function resolveReplicas(given: z.output<typeof Replicas>): { replicas: number; scaling: Scaling } {
  const range = typeof given === 'number' ? ReplicaRange.parse({ min: given }) : given;
  const { min, max = min, warm, targetInFlight, scaleDownAfterMs } = range;
  return { replicas: min, scaling: { max, warm, targetInFlight, scaleDownAfterMs } };
}

export function resolveIdle({ pauseAfterMs, stopAfterMs }: z.output<typeof IdleRest>): Idle {
  return { pauseAfterMs: pauseAfterMs ?? null, stopAfterMs: stopAfterMs ?? null };
}

/** What a range of replicas says about sharing and data. */
export function scalingFindings(entry: RawObject): Finding[] {
  const { replicas, sharing = 'session', data } = entry;
  if (!isObject(replicas)) return [];
  const { min = 1, max = min, warm = 0 } = replicas;
  if (typeof min !== 'number' || typeof max !== 'number' || typeof warm !== 'number') return [];
  const findings: Finding[] = [];
  // Elsewhere no replicas share a load, and a maximum would silently mean nothing.
  if (sharing !== 'shared' && max > min) {
    const message = 'above min is for sharing: shared, where any replica serves any call';
    findings.push({ path: ['replicas', 'max'], message, at: 'key' });
  }
  if (warm > 0 && data !== undefined && isOneAtATime(sharing, max)) {
    const message = 'would open the data volume beside the one replica that has it to itself';
    findings.push({ path: ['replicas', 'warm'], message, at: 'key' });
  }
  return findings;
}

/** Whether a volume is open in one process at a time: then it stays so (docs/configuration.md, When the file changes). */
function isOneAtATime(sharing: unknown, max: number): boolean {
  return (sharing === 'shared' || sharing === 'principal') && max === 1;
}
