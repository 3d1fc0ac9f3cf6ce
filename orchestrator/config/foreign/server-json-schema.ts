import * as z from 'zod';
import { findingsOf } from '../issues.ts';
import type { Finding, Path } from '../problem.ts';
import { isObject } from '../raw.ts';

const input = {
  description: z.string().optional(),
  isRequired: z.boolean().optional(),
  format: z.enum(['string', 'number', 'boolean', 'filepath']).optional(),
  value: z.string().optional(),
  isSecret: z.boolean().optional(),
  default: z.string().optional(),
  placeholder: z.string().optional(),
  choices: z.array(z.string()).optional(),
};
const Variables = z.record(z.string(), z.strictObject(input));
const Positional = z.strictObject({
  ...input,
  variables: Variables.optional(),
  type: z.literal('positional'),
  valueHint: z.string().optional(),
  isRepeated: z.boolean().optional(),
});
const Named = z.strictObject({
  ...input,
  variables: Variables.optional(),
  type: z.literal('named'),
  name: z.string().min(1),
  isRepeated: z.boolean().optional(),
});
const Argument = z.discriminatedUnion('type', [Positional, Named], {
  error: 'must be positional or named',
});
const Variable = z.strictObject({ ...input, variables: Variables.optional(), name: z.string().min(1) });

const Package = z.strictObject({
  registryType: z.string(),
  registryBaseUrl: z.string().optional(),
  identifier: z.string().min(1),
  version: z.string().optional(),
  fileSha256: z.string().optional(),
  runtimeHint: z.string().optional(),
  transport: z.looseObject({ type: z.string() }),
  runtimeArguments: z.array(Argument).default([]),
  packageArguments: z.array(Argument).default([]),
  environmentVariables: z.array(Variable).default([]),
});

const Remote = z.strictObject({
  type: z.string(),
  url: z.string(),
  headers: z.array(Variable).default([]),
  variables: Variables.optional(),
});

/** What is not about running it (title, icons, repository …) says nothing here. */
const Document = z.looseObject({
  name: z.string(),
  packages: z.array(Package).default([]),
  remotes: z.array(Remote).default([]),
});

/** A server.json of the MCP registry, schema 2025-12-11. */
export type ServerJson = z.output<typeof Document>;
export type ServerJsonRemote = z.output<typeof Remote>;
export type ServerJsonPackage = z.output<typeof Package>;
export type ServerJsonArgument = z.output<typeof Argument>;
export type ServerJsonVariable = z.output<typeof Variable>;

/** Reads one, or tells everything that is wrong with its form. */
export function readServerJson(
  raw: unknown,
): { readonly document: ServerJson; readonly findings?: never } | { readonly findings: readonly Finding[] } {
  const old = oldNames(raw, []);
  if (old.length > 0) return { findings: old };
  const result = Document.safeParse(raw, { reportInput: true });
  return result.success ? { document: result.data } : { findings: findingsOf(result.error, { keysAt }) };
}

function keysAt(path: Path): readonly string[] {
  const has = (key: string): boolean => path.includes(key);
  if (has('variables')) return Object.keys(input);
  if (has('environmentVariables')) return Object.keys(Variable.shape);
  if (has('runtimeArguments') || has('packageArguments')) {
    return [...new Set([...Object.keys(Positional.shape), ...Object.keys(Named.shape)])];
  }
  if (has('remotes') && has('headers')) return Object.keys(Variable.shape);
  if (has('remotes')) return Object.keys(Remote.shape);
  return Object.keys(has('packages') ? Package.shape : Document.shape);
}

/** Until September 2025 the names were written with underscores; other things were different, too. */
const OLD = new Set(
  [...Object.keys(Package.shape), ...Object.keys(input), 'registryName', 'valueHint', 'isRepeated']
    .map((name) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] as const)
    .filter(([name, old]) => name !== old)
    .map(([, old]) => old),
);

function oldNames(value: unknown, path: Path): Finding[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => oldNames(item, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]): Finding[] => {
    if (!OLD.has(key)) return key === '_meta' ? [] : oldNames(inner, [...path, key]);
    const now = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const message = `is of a server.json from before 2025-09-16: write it in the schema of 2025-12-11, where it is ${now}`;
    return [{ path: [...path, key], message, at: 'key' }];
  });
}
