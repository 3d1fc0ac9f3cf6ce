import type { Finding } from './problem.ts';
import { isObject, type RawObject } from './raw.ts';
import { type ReadSecret, secretPathProblem } from './secret-file.ts';

/** Values of `env` that stand in files, by the name of their variable. */
export type EnvRefs = { readonly values: ReadonlyMap<string, string>; readonly findings: readonly Finding[] };

/**
 * Fetches the values of `env: {TOKEN: {file: secrets/token}}`. Looks at the entry as written, so that a missing file is
 * reported together with everything else.
 */
export function readEnvRefs(entry: RawObject, origin: 'file' | 'api', readSecret: ReadSecret): EnvRefs {
  const values = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [name, value] of Object.entries(isObject(entry.env) ? entry.env : {})) {
    if (!isObject(value)) continue;
    if (origin === 'api') {
      const message = 'names a file of the host: only gantry.yaml can refer to one';
      findings.push({ path: ['env', name], message, at: 'key' });
      continue;
    }
    // Anything else about its form is said by the schema.
    if (typeof value.file !== 'string' || secretPathProblem(value.file) !== null) continue;
    const found = readSecret(value.file);
    if (found.ok) values.set(name, found.text);
    else findings.push({ path: ['env', name, 'file'], message: found.message });
  }
  return { values, findings };
}

/** The variables as a process gets them. @throws TypeError for a reference that was not read */
export function envOf(
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
