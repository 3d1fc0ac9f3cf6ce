import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type ServerSpec, sorted } from '../kernel/index.ts';

export type Difference = {
  readonly added: readonly ServerSpec[];
  /** As they should be. */
  readonly changed: readonly ServerSpec[];
  readonly removed: readonly ServerSpec[];
};

/** What turns the present list of servers into the wanted one. */
export function difference(present: readonly ServerSpec[], wanted: readonly ServerSpec[]): Difference {
  const before = new Map(present.map((spec) => [spec.name, spec]));
  const kept = new Set(wanted.map((spec) => spec.name));
  return {
    added: wanted.filter((spec) => !before.has(spec.name)),
    changed: wanted.filter(
      (spec) => before.has(spec.name) && !isDeepStrictEqual(before.get(spec.name), spec),
    ),
    removed: present.filter((spec) => !kept.has(spec.name)),
  };
}

/** Whether two definitions make the same containers: then a change replaces none. */
export function sameContainer(a: ServerSpec, b: ServerSpec): boolean {
  return isDeepStrictEqual(containerPart(a), containerPart(b));
}

/** Names what a server's containers are made of. Values of variables and headers are not in it: they may be secrets. */
export function fingerprintOf(spec: ServerSpec): string {
  const { source } = spec;
  const named =
    source.kind === 'url' ? { kind: source.kind, headers: Object.keys(source.headers).sort() } : source;
  const part = { ...containerPart(spec), source: named, env: Object.keys(spec.env).sort() };
  return createHash('sha256').update(JSON.stringify(part)).digest('base64url');
}

/** All that a server's containers are made of, secrets among it: only to be sealed, never shown or stored. */
export function sealedPart(spec: ServerSpec): string {
  return JSON.stringify(sorted(containerPart(spec)));
}

function containerPart(spec: ServerSpec): Omit<ServerSpec, (typeof AROUND)[number]> {
  // URLs come and go one by one: no other connection has to be made anew for that (`Standing.adopt`).
  const source = spec.source.kind === 'url' ? { ...spec.source, places: null } : spec.source;
  const entries = Object.entries({ ...spec, source }).filter(
    ([field]) => !AROUND.some((around) => around === field),
  );
  return Object.fromEntries(entries) as Omit<ServerSpec, (typeof AROUND)[number]>;
}

/** Fields that no container is made of. */
const AROUND = [
  'origin',
  'replicas',
  'scaling',
  'idle',
  'maxSessions',
  'timeouts',
  'balance',
  'retries',
  'breaker',
  'health',
  'port',
  'dependsOn',
  'rollout',
  'tools',
  'disabled',
] as const;
