import { basename, resolve } from 'node:path';
import { GantryError } from '../kernel/index.ts';
import { ConfigFiles, environmentPattern } from './files.ts';
import { defaultPortRange, type PortRange } from './port-range.ts';
import { type Problem, problemText } from './problem.ts';
import { readConfig } from './read-config.ts';

/**
 * Checks a file, and that of an environment laid over it, without starting anything. The lines for stderr; empty when all
 * is well.
 */
export async function checkFile(
  path: string,
  portRange: PortRange = defaultPortRange,
  environment: string | null = null,
): Promise<{ readonly problems: readonly string[]; readonly servers: number }> {
  try {
    const { servers } = await readConfig(new ConfigFiles(resolve(path), environment), portRange);
    return { problems: [], servers: servers.length };
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'invalid_config')) throw error;
    const problems = error.detail.problems as Problem[];
    return { problems: problems.map((problem) => problemText(basename(path), problem)), servers: 0 };
  }
}

/** `3001-3019`, or what is published by default. */
function rangeOf(text: string | undefined): PortRange {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text ?? '') ?? [];
  return first === undefined || last === undefined
    ? defaultPortRange
    : { first: Number(first), last: Number(last) };
}

// `node orchestrator/config/check.ts gantry.yaml [3001-3019] [environment]`
if (import.meta.main) {
  const [file = 'gantry.yaml', range, environment = ''] = process.argv.slice(2);
  const isName = environment === '' || environmentPattern.test(environment);
  const { problems, servers } = isName
    ? await checkFile(file, rangeOf(range), environment === '' ? null : environment)
    : {
        problems: [
          `GANTRY_ENVIRONMENT must be a name such as production, not ${JSON.stringify(environment)}`,
        ],
        servers: 0,
      };
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write(`ok: ${servers} ${servers === 1 ? 'server' : 'servers'}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
