import { isObject } from './raw.ts';

/**
 * RFC 7396: null removes a key, objects merge, everything else (lists too) replaces. The target is not touched.
 * Callers refuse `__proto__` first (`raw.ts`).
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}
