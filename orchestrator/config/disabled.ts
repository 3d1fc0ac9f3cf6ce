import * as z from 'zod';
import type { RawObject } from './raw.ts';

/** A sentence for whoever wonders why nothing runs; that is why it is no boolean. */
export const DisabledReason = z
  .string({ error: 'must say why the server is not run, such as "needs a token"' })
  .trim()
  .min(1, { error: 'must say why the server is not run, such as "needs a token"' })
  .max(500, { error: 'is over 500 characters' });

/** Whether an entry says that it is not to run, well or badly. */
export function isDisabled({ disabled }: RawObject): boolean {
  return disabled !== undefined;
}
