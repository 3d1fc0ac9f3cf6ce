import { z } from 'zod';
import type { BreakerState, Reason, ReasonCode } from './kernel/index.ts';
import type { ServerHistory } from './lifecycle/index.ts';

const BREAKER_STATE: z.ZodType<BreakerState> = z.enum(['closed', 'open', 'half_open']);
const BREAKER = z.object({ state: BREAKER_STATE, openings: z.int().min(0), retryAt: z.number() });
const REASON: z.ZodType<Reason> = z.object({
  // As it was written: a word of another version is for people to read, nobody decides by it.
  code: z.string().transform((code) => code as ReasonCode),
  message: z.string(),
  exitCode: z.int().nullable(),
  stderr: z.array(z.string()),
});
const PLACE = z.object({
  breaker: BREAKER,
  failures: z.object({
    failureTimesMs: z.array(z.number()),
    consecutiveFailures: z.int().min(0),
    inCrashLoop: z.boolean(),
  }),
  waiting: z.object({ at: z.number(), reason: REASON, failed: z.boolean() }).nullable(),
});
const STORED: z.ZodType<{ made: string } & ServerHistory> = z.object({
  /** `fingerprintOf` the definition that it is about. */
  made: z.string(),
  places: z.record(z.string(), PLACE),
  starts: z.object({ breaker: BREAKER, lastFailure: REASON.nullable() }),
});

/** @returns null where it is of another program, or of another shape than this version writes. */
export function storedHistory(record: unknown, made: string): ServerHistory | null {
  const { data } = STORED.safeParse(record);
  return data?.made === made ? data : null;
}
