import * as z from 'zod';
import type { ToolFilter } from '../kernel/index.ts';

const Names = z.array(z.string().min(1).max(256)).max(1000);

/** `tools:` of a server and of a set. */
export const ToolFilterKeys = z.strictObject({
  allow: Names.optional().describe(
    'Names of the tools that are offered; * stands for any text. Without it all are.',
  ),
  deny: Names.default([]).describe('Names of tools that are not offered, not even where allow has them.'),
});

export function filterOf({ allow, deny }: z.output<typeof ToolFilterKeys>): ToolFilter {
  return { allow: allow ?? null, deny };
}
