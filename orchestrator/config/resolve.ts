import { posix } from 'node:path';
import type { ServerSpec, Source } from '../kernel/index.ts';
import { cleanDataPath } from './data-path.ts';
import { lowerNames } from './headers.ts';
import { resolveIdle, resolveReplicas } from './scaling.ts';
import type { Entry } from './schema.ts';
import { parseSize } from './size.ts';
import { type Package, parseNpm, parsePypi } from './source-text.ts';
import { filterOf } from './tool-filter.ts';
import { valuesOf } from './value-refs.ts';

/** Values that stand in files, by name. */
export type Secrets = Readonly<Record<'env' | 'headers', ReadonlyMap<string, string>>>;

/** A checked entry as the rest of Gantry wants it: sizes in bytes, paths absolute, nothing optional. */
export function resolveSpec(
  name: string,
  entry: Entry,
  { origin, baseDir }: { readonly origin: ServerSpec['origin']; readonly baseDir: string },
  secrets: Secrets,
): ServerSpec {
  return {
    name,
    origin,
    source: resolveSource(entry, baseDir, secrets),
    args: entry.args,
    env: valuesOf(entry.env, secrets.env),
    sharing: entry.sharing,
    ...resolveReplicas(entry.url === undefined ? entry.replicas : urlsOf(entry.url).length),
    idle: resolveIdle(entry.idle),
    maxSessions: entry.maxSessions,
    resources: resolveResources(entry),
    network: entry.network,
    channel: entry.channel,
    runtime: entry.runtime,
    data: entry.data === undefined ? null : cleanDataPath(entry.data),
    timeouts: entry.timeouts,
    breaker: entry.breaker,
    health: entry.health,
    balance: { ...entry.balance, maxInFlight: entry.balance.maxInFlight ?? null },
    retries: entry.retries,
    port: entry.port ?? null,
    dependsOn: [...new Set(entry.dependsOn)],
    rollout: entry.rollout,
    tools: filterOf(entry.tools),
    disabled: entry.disabled ?? null,
  };
}

function resolveSource(entry: Entry, baseDir: string, secrets: Secrets): Source {
  const bin = entry.bin ?? null;
  const command = entry.command ?? null;
  if (entry.npm !== undefined) return { kind: 'npm', ...packageOf(parseNpm(entry.npm)), bin };
  if (entry.pypi !== undefined) return { kind: 'pypi', ...packageOf(parsePypi(entry.pypi)), bin };
  if (entry.image !== undefined) return { kind: 'image', image: entry.image, command };
  if (entry.url !== undefined) {
    const places = urlsOf(entry.url).map((url, index) => ({ number: index + 1, url, id: null }));
    return { kind: 'url', places, headers: lowerNames(valuesOf(entry.headers, secrets.headers)) };
  }
  return { kind: 'build', path: posix.resolve(baseDir, certain(entry.build)), command };
}

/** What runs elsewhere takes nothing here. */
function resolveResources({ url, resources }: Entry): ServerSpec['resources'] {
  if (url !== undefined) return { memoryBytes: 0, cpus: 0, pids: 0 };
  const { memory, cpus, pids } = resources;
  return { memoryBytes: certain(parseSize(memory)), cpus, pids };
}

/** As the URL standard writes them, so that one place has one name. */
function urlsOf(url: string | readonly string[]): readonly string[] {
  return [url].flat().map((text) => new URL(text).href);
}

/** The schema has passed these values already; a failure here is a fault of ours and must not become a default. */
function certain<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new TypeError('an unchecked entry was resolved');
  return value;
}

function packageOf(parsed: Package | string): Package {
  if (typeof parsed === 'string') throw new TypeError(`an unchecked package was resolved: ${parsed}`);
  return parsed;
}
