import { isDeepStrictEqual } from 'node:util';
import type { ToolDifference, ToolView } from '../kernel/index.ts';

/** What a client that knew the tools before would find changed. */
export function toolDifference(before: readonly ToolView[], after: readonly ToolView[]): ToolDifference {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const kept = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !kept.has(name)).map(({ name }) => name),
    changed: after
      .filter((tool) => old.has(tool.name) && !isDeepStrictEqual(old.get(tool.name), tool))
      .map(({ name }) => name),
  };
}
