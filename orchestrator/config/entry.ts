import type { ServerSpec } from '../kernel/index.ts';
import { Balance, Retries } from './balance.ts';
import { isDisabled } from './disabled.ts';
import { headerFindings } from './headers.ts';
import { findingsOf } from './issues.ts';
import type { PortRange } from './port-range.ts';
import type { Finding, Path } from './problem.ts';
import { isObject } from './raw.ts';
import { resolveSpec } from './resolve.ts';
import { ruleFindings } from './rules.ts';
import { IdleRest, ReplicaRange } from './scaling.ts';
import { Entry, Resources, Rollout, serverNamePattern, Timeouts } from './schema.ts';
import type { ReadSecret } from './secret-file.ts';
import { ToolFilterKeys } from './tool-filter.ts';
import { readValueRefs } from './value-refs.ts';

export type EntryContext = {
  readonly origin: 'file' | 'api';
  /** Absolute directory that `build:` is relative to. */
  readonly baseDir: string;
  readonly portRange: PortRange;
  /** Ports of the other servers, and whose they are. */
  readonly usedPorts: ReadonlyMap<number, string>;
  /** For values of `env` and `headers` that stand in files; those of the API have none. */
  readonly readSecret: ReadSecret;
};

/** One checked entry, or everything that is wrong with it; paths are relative to the entry. */
export type EntryResult = { readonly spec: ServerSpec | null; readonly findings: readonly Finding[] };

export function checkEntry(name: string, raw: unknown, context: EntryContext): EntryResult {
  if (!isObject(raw))
    return { spec: null, findings: [{ path: [], message: 'must be a map of keys and values' }] };
  const result = Entry.safeParse(raw, { reportInput: true });
  const single = result.success ? [] : findingsOf(result.error, { keysAt });
  // Nobody has to have the secrets of a server that is not run.
  const readSecret: ReadSecret = isDisabled(raw) ? () => ({ ok: true, text: '' }) : context.readSecret;
  const env = readValueRefs(raw, 'env', context.origin, readSecret);
  const headers = readValueRefs(raw, 'headers', context.origin, readSecret);
  const findings = [
    ...single,
    ...ruleFindings(raw, context),
    ...env.findings,
    ...headers.findings,
    ...headerFindings(raw, headers.values),
  ];
  if (!result.success || findings.length > 0) return { spec: null, findings };
  return {
    spec: resolveSpec(name, result.data, context, { env: env.values, headers: headers.values }),
    findings: [],
  };
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

/** Keys that hold a map with keys of its own. */
const INNER = {
  resources: Resources,
  timeouts: Timeouts,
  balance: Balance,
  retries: Retries,
  rollout: Rollout,
  replicas: ReplicaRange,
  idle: IdleRest,
  tools: ToolFilterKeys,
};

function keysAt([first]: Path): readonly string[] {
  const inner = Object.entries(INNER).find(([key]) => key === first)?.[1];
  return Object.keys((inner ?? Entry).shape);
}
