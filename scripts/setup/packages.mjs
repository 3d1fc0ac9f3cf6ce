import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from './failure.mjs';
import { attempt, run } from './run.mjs';

/**
 * Installs the project's packages exactly as locked, if what is there was not made from this lock file.
 * Only the package `node` may run its install script, which fetches Node's binary: all others are foreign code.
 * @param {string} root of the project
 * @throws SetupError
 */
export async function installPackages(root, say) {
  const stampPath = join(root, 'node_modules/.gantry-lock');
  const lock = createHash('sha256')
    .update(await readFile(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = await readFile(stampPath, 'utf8').catch(() => '');
  if (stamp === lock && (await localNode(root)) !== null) return 'in place';

  say('npm ci');
  const quiet = ['--no-audit', '--no-fund'];
  await run('The project’s packages could not be installed', ['npm', 'ci', '--ignore-scripts', ...quiet], {
    cwd: root,
  });
  say('Node 24');
  await run('Node 24 could not be installed', ['npm', 'rebuild', 'node', '--ignore-scripts=false'], {
    cwd: root,
  });
  const version = await localNode(root);
  if (!version?.startsWith('v24.')) {
    throw new SetupError(
      `The package \`node\` should have brought Node 24 but brings ${version ?? 'nothing that runs'}.`,
    );
  }
  await writeFile(stampPath, lock);
  return `installed, Node ${version}`;
}

/** Version of the Node among the packages, or null. */
async function localNode(root) {
  const { code, stdout } = await attempt([join(root, 'node_modules/.bin/node'), '-v']);
  return code === 0 ? stdout.trim() : null;
}
