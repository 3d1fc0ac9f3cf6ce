import * as z from 'zod';
import { parseSize, sizePattern, sizeText } from './size.ts';

/** Reports what `problemOf` says; null is fine. */
export function text(problemOf: (value: string) => string | null) {
  return z.string().superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}

/** Bytes, as a number or with a unit. */
export function size(leastBytes: number, mostBytes: number) {
  const rule = `must be a size of at least ${sizeText(leastBytes)} such as 256MiB, 256Mi, 256m or a number of bytes`;
  const problemOf = (value: string | number): string | null => {
    const bytes = parseSize(value);
    return bytes !== null && bytes >= leastBytes && bytes <= mostBytes ? null : rule;
  };
  const digits = z.number().superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
  return z.union(
    [
      digits.meta({ type: 'integer', minimum: leastBytes }),
      text(problemOf).meta({ pattern: sizePattern.source }),
    ],
    {
      error: rule,
    },
  );
}
