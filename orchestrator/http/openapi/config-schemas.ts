import { z } from 'zod';
import type { ConfigView } from '../../kernel/index.ts';
import { named } from './named.ts';

export const ReloadResult = named(
  'ReloadResult',
  z.object({
    added: z.array(z.string()),
    changed: z.array(z.string()),
    removed: z.array(z.string()),
    settingsChanged: z
      .boolean()
      .describe('auth, http or limits differ from those in force; they take effect at the next start.'),
  }),
);

const problem = z.object({
  file: z.string(),
  path: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: z.string(),
});
export const Config: z.ZodType<ConfigView> = named(
  'Config',
  z.object({
    environment: z.string().nullable(),
    files: z.array(z.string()),
    appliedAt: z.string(),
    settingsChanged: z
      .boolean()
      .describe('auth, http or limits differ from those in force; they take effect at the next start.'),
    lastReload: z
      .object({
        at: z.string(),
        trigger: z.enum(['watch', 'api']),
        outcome: z.enum(['applied', 'unchanged', 'refused']),
        added: z.array(z.string()),
        changed: z.array(z.string()),
        removed: z.array(z.string()),
        problems: z.array(problem).describe('Why it was refused; nothing was changed then.'),
      })
      .nullable(),
  }),
);
