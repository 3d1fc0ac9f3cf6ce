import * as z from 'zod';
import { parseSize, sizePattern, sizeText } from './size.ts';

/** Node fires a longer timer at once instead of late (`TIMEOUT_MAX`). */
const longestTimeoutMs = 2 ** 31 - 1;
/** `MAX_ARG_STRLEN` of Linux: the kernel takes no longer argument or variable. */
const longestText = 128 * 1024 - 1;

/** Reports what `problemOf` says; null is fine. */
export function text(problemOf: (value: string) => string | null) {
  return z.string().superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}

/** Anything a process can be given: no NUL, which ends a string in the kernel. */
export const plain = text((value) =>
  value.includes('\0') ? 'must not contain NUL' : value.length > longestText ? 'is over 128 KiB' : null,
);

export const milliseconds = (least: number) => z.int().min(least).max(longestTimeoutMs);

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
