import { z } from 'zod';
import type { Reason, RolloutView } from '../../kernel/index.ts';
import { named } from './named.ts';

export const ReasonSchema: z.ZodType<Reason> = named(
  'Reason',
  z.object({
    code: z.enum([
      'never_ready',
      'exited',
      'oom',
      'signal',
      'killed',
      'crash_loop',
      'install_failed',
      'image_missing',
      'limits_not_applied',
      'line_too_long',
      'unresponsive',
      'breaker_open',
      'handshake_failed',
      'unreachable',
      'address_not_allowed',
      'engine_unavailable',
      'no_memory',
      'stopped',
      'waiting_for',
      'dependency_failed',
      'internal',
    ]),
    message: z.string(),
    exitCode: z.int().nullable(),
    stderr: z.array(z.string()),
  }),
);

export const Rollout: z.ZodType<RolloutView> = named(
  'Rollout',
  z.object({
    state: z.enum(['starting', 'watching', 'draining', 'done', 'rolled_back', 'superseded']),
    mode: z.enum(['beside', 'stop_first']),
    startedAt: z.string(),
    endedAt: z.string().nullable(),
    reason: ReasonSchema.nullable(),
    tools: z
      .object({ added: z.array(z.string()), removed: z.array(z.string()), changed: z.array(z.string()) })
      .nullable()
      .describe('How the list of tools differs from the one before.'),
  }),
);
