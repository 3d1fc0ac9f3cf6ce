import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { messageOf } from '../kernel/index.ts';
import { loadConfig } from './load.ts';
import { defaultPortRange, type PortRange } from './port-range.ts';
import { problemText } from './problem.ts';

/** Checks a file without starting anything. The lines for stderr; empty when all is well. */
export function checkFile(
  path: string,
  portRange: PortRange = defaultPortRange,
): { readonly problems: readonly string[]; readonly servers: number } {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    return { problems: [`${basename(path)} cannot be read: ${messageOf(error)}`], servers: 0 };
  }
  const loaded = loadConfig(text, { baseDir: dirname(resolve(path)), portRange });
  if (loaded.ok) return { problems: [], servers: loaded.servers.length };
  return { problems: loaded.problems.map((problem) => problemText(basename(path), problem)), servers: 0 };
}

/** `3001-3019`, or what is published by default. */
function rangeOf(text: string | undefined): PortRange {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text ?? '') ?? [];
  return first === undefined || last === undefined
    ? defaultPortRange
    : { first: Number(first), last: Number(last) };
}

// `node orchestrator/config/check.ts gantry.yaml [3001-3019]`
if (import.meta.main) {
  const { problems, servers } = checkFile(process.argv[2] ?? 'gantry.yaml', rangeOf(process.argv[3]));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write(`ok: ${servers} ${servers === 1 ? 'server' : 'servers'}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
