import test from 'ava';
import { parseServerBody } from '../../../orchestrator/config/index.ts';

export type Json = Record<string, unknown>;

export const stdio = { type: 'stdio' };
export const npm = (more: Json = {}): Json => ({
  registryType: 'npm',
  identifier: '@example/weather',
  version: '1.2.3',
  transport: stdio,
  ...more,
});
export const oci = (more: Json = {}): Json => ({
  registryType: 'oci',
  identifier: 'ghcr.io/example/weather:1.2.3',
  transport: stdio,
  ...more,
});
/** A server.json of one package. */
export const doc = (pack: Json, more: Json = {}): Json => ({
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.github.example/Weather_Server',
  description: 'Says what the weather is.',
  version: '1.2.3',
  packages: [pack],
  ...more,
});

/** What it is made into, or the text of every problem. */
export function entryOf(body: unknown): unknown {
  const parsed = parseServerBody(body);
  if (!parsed.ok) return parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  return parsed.value.map(({ name, entry }) => ({ name, ...entry }))[0];
}

/** A document that cannot be converted, and what must be said about it, in this order. */
export const refused = test.macro<[what: string, body: Json, ...problems: RegExp[]]>({
  exec(t, _, body, ...problems) {
    const told = entryOf(body) as string[];
    t.is(told.length, problems.length, told.join('\n'));
    for (const [index, problem] of problems.entries()) t.regex(told[index] ?? '', problem);
  },
  title: (_, what) => `${what} is refused`,
});
