import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The same package that the mesh runs, installed on the host.
 * @param npm as in gantry.yaml, with its version
 * @returns the path of the program
 */
export async function installOnHost(npm: string, bin: string, root: string): Promise<string> {
  const directory = join(root, '.gantry', 'bench', npm.replaceAll(/[^a-z0-9.-]+/gi, '_'));
  const program = join(directory, 'node_modules', '.bin', bin);
  if (existsSync(program)) return program;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), '{"private":true}\n');
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--save-exact', npm], {
    cwd: directory,
  });
  return program;
}
