import * as z from 'zod';
import type { RawObject } from './raw.ts';

/** A sentence for whoever wonders why nothing runs: that is why it is neither a switch nor empty. */
export const DisabledReason = z
  .string()
  .trim()
  .superRefine((value, context) => {
    const says = value !== '' && !/^(true|false|yes|no|on|off)$/i.test(value);
    const message = says
      ? 'is over 500 characters'
      : 'must say why the server is not run, such as "needs a token"';
    if (!says || value.length > 500) context.addIssue({ code: 'custom', message });
  });

/** Whether an entry says that it is not to run, well or badly. */
export function isDisabled({ disabled }: RawObject): boolean {
  return disabled !== undefined;
}
