import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from './failure.mjs';
import { attempt } from './run.mjs';

const READABLE_BY_ALL = 0o004;

/**
 * Checks gantry.yaml before anything is brought up, so that a mistake changes nothing.
 * @param {string} file absolute, gantry.yaml or another one
 * @param {string} serverPorts the published range, `3001-3019`
 * @param {string} environment whose file is laid over it; empty for none
 * @throws SetupError with every problem and its line
 */
export async function checkConfig(root, file, serverPorts, environment = '') {
  const command = [
    join(root, 'node_modules/.bin/node'),
    'orchestrator/config/check.ts',
    file,
    serverPorts,
    environment,
  ];
  const { code, stdout, output } = await attempt(command, { cwd: root });
  if (code !== 0) throw new SetupError(`${output.trim()}\n\nNothing was changed.`);
  const { mode } = await stat(file);
  if ((mode & READABLE_BY_ALL) === 0) {
    throw new SetupError(
      `${file} can only be read by its owner, and the orchestrator runs as another user: chmod o+r ${file}`,
    );
  }
  return stdout.trim().replace(/^ok: /, '');
}
