import * as z from 'zod';
import type { ServerSet } from '../kernel/index.ts';
import { text } from './kinds.ts';
import { serverNamePattern } from './schema.ts';
import { filterOf, ToolFilterKeys } from './tool-filter.ts';

const ServerName = text((value) => (serverNamePattern.test(value) ? null : 'is not the name of a server'));
const Servers = z
  .array(ServerName.meta({ pattern: serverNamePattern.source }))
  .min(1)
  .max(1000);
/** What a set is written as where it is no bare list. */
const SetMap = z.strictObject({
  servers: Servers.describe('Names of servers, also of such as are made over the API later.'),
  tools: ToolFilterKeys.prefault({}).describe('Which tools are offered, by the names server__tool.'),
});

/** A bare list is short for `{servers: list}`. */
const SetEntry = z.union([Servers, SetMap], {
  error: 'must be a list of names of servers, or {servers: [...], tools: {allow: [...], deny: [...]}}',
});

/** `sets:` of gantry.yaml. */
export const Sets = z
  .record(
    z
      .string()
      .regex(serverNamePattern)
      .refine((name) => name !== 'all'),
    SetEntry,
  )
  .default({})
  .describe('Servers that are offered together at /mcp/@name. The set "all" is every server, at /mcp.');

/** The keys that are known below `sets`, by how deep. */
export function setKeysAt(depth: number): readonly string[] {
  return Object.keys((depth > 2 ? ToolFilterKeys : SetMap).shape);
}

export function setsOf(sets: z.output<typeof Sets>): readonly ServerSet[] {
  return Object.entries(sets).map(([name, entry]) => {
    const { servers, tools } = Array.isArray(entry)
      ? { servers: entry, tools: { deny: [] } }
      : { servers: entry.servers, tools: entry.tools };
    return { name, servers: [...new Set(servers)], tools: filterOf(tools) };
  });
}
