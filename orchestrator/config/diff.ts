import { isDeepStrictEqual } from 'node:util';
import type { ServerSpec } from '../kernel/index.ts';

export type ServerChange = {
  readonly before: ServerSpec;
  readonly after: ServerSpec;
  /** The fields that differ: `replicas` alone, for one, needs no restart. */
  readonly fields: readonly (keyof ServerSpec)[];
};

export type ServerDiff = {
  readonly added: readonly ServerSpec[];
  readonly changed: readonly ServerChange[];
  readonly removed: readonly ServerSpec[];
};

/** What an edited list of servers asks for. The order of servers and of keys in `env` does not count. */
export function diffServers(before: readonly ServerSpec[], after: readonly ServerSpec[]): ServerDiff {
  const old = new Map(before.map((spec) => [spec.name, spec]));
  const kept = new Set(after.map((spec) => spec.name));
  const added: ServerSpec[] = [];
  const changed: ServerChange[] = [];
  for (const spec of after) {
    const previous = old.get(spec.name);
    if (previous === undefined) added.push(spec);
    else {
      const fields = changedFields(previous, spec);
      if (fields.length > 0) changed.push({ before: previous, after: spec, fields });
    }
  }
  return { added, changed, removed: before.filter((spec) => !kept.has(spec.name)) };
}

function changedFields(a: ServerSpec, b: ServerSpec): (keyof ServerSpec)[] {
  const fields = Object.keys(b) as (keyof ServerSpec)[];
  return fields.filter((field) => !isDeepStrictEqual(a[field], b[field]));
}
