import * as z from 'zod';
import { plain, text } from './kinds.ts';
import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';
import { type ReadSecret, secretPathProblem } from './secret-file.ts';

/** Maps whose values may be secrets, and may stand in files therefore. */
type Key = 'env' | 'headers';

/** A text, or the file that holds it. It may be a secret, so no message repeats it. */
export const SecretValue = z.union(
  [
    plain,
    z.strictObject({
      file: text(secretPathProblem).describe('Path below the directory of gantry.yaml.'),
    }),
  ],
  {
    error: ({ input }) =>
      input === null
        ? 'must be a string; it is empty'
        : typeof input === 'number' || typeof input === 'boolean'
          ? 'must be a string: put it in quotes'
          : 'must be a string, or {file: secrets/token} for a value that stands in a file',
  },
);

/** Values that stand in files, by their name. */
export type ValueRefs = {
  readonly values: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
};

/**
 * Fetches the values of `env: {TOKEN: {file: secrets/token}}`. Looks at the entry as written, so that a missing file is
 * reported together with everything else.
 */
export function readValueRefs(
  entry: RawObject,
  key: Key,
  origin: 'file' | 'api',
  readSecret: ReadSecret,
): ValueRefs {
  const written = entry[key];
  const values = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [name, value] of Object.entries(isObject(written) ? written : {})) {
    if (!isObject(value)) continue;
    if (origin === 'api') {
      const message = 'names a file of the host: only gantry.yaml can refer to one';
      findings.push({ path: [key, name], message, at: 'key' });
      continue;
    }
    // Anything else about its form is said by the schema.
    if (typeof value.file !== 'string' || secretPathProblem(value.file) !== null) continue;
    const found = readSecret(value.file);
    if (found.ok) values.set(name, found.text);
    else findings.push({ path: [key, name, 'file'], message: found.message });
  }
  return { values, findings };
}

/** The values as they are used. @throws TypeError for a reference that was not read */
export function valuesOf(
  written: Readonly<Record<string, string | { readonly file: string }>>,
  values: ReadonlyMap<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => {
      const text = typeof value === 'string' ? value : values.get(name);
      if (text === undefined) throw new TypeError(`an unread reference was resolved: ${name}`);
      return [name, text];
    }),
  );
}
