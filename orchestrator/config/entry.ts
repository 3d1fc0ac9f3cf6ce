import type { ServerSpec } from '../kernel/index.ts';
import { findingsOf } from './issues.ts';
import type { PortRange } from './port-range.ts';
import type { Finding, Path } from './problem.ts';
import { isObject } from './raw.ts';
import { resolveSpec } from './resolve.ts';
import { ruleFindings } from './rules.ts';
import { Entry, Resources, serverNamePattern, Timeouts } from './schema.ts';

export type EntryContext = {
  readonly origin: 'file' | 'api';
  /** Absolute directory that `build:` is relative to. */
  readonly baseDir: string;
  readonly portRange: PortRange;
  /** Ports of the other servers, and whose they are. */
  readonly usedPorts: ReadonlyMap<number, string>;
};

/** One checked entry, or everything that is wrong with it; paths are relative to the entry. */
export type EntryResult = { readonly spec: ServerSpec | null; readonly findings: readonly Finding[] };

export function checkEntry(name: string, raw: unknown, context: EntryContext): EntryResult {
  if (!isObject(raw))
    return { spec: null, findings: [{ path: [], message: 'must be a map of keys and values' }] };
  const result = Entry.safeParse(raw, { reportInput: true });
  const single = result.success ? [] : findingsOf(result.error, { keysAt });
  const findings = [...single, ...ruleFindings(raw, context)];
  if (!result.success || findings.length > 0) return { spec: null, findings };
  return { spec: resolveSpec(name, result.data, context.origin, context.baseDir), findings: [] };
}

/** Null when it can be the name of a server. */
export function nameProblem(name: string): string | null {
  if (serverNamePattern.test(name)) return null;
  const slug = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63);
  const hint = serverNamePattern.test(slug) ? `, such as "${slug}"` : '';
  return `a name is a lower-case letter, then up to 62 lower-case letters, digits and hyphens${hint}`;
}

function keysAt(path: Path): readonly string[] {
  const shape =
    path[0] === 'resources' ? Resources.shape : path[0] === 'timeouts' ? Timeouts.shape : Entry.shape;
  return Object.keys(shape);
}
