import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Gateway } from './gateway.ts';

/**
 * A mesh to measure: the one that is up, or one that is started for it.
 * @returns what takes down again what was started here
 * @throws Error when it does not come up
 */
export async function startMesh(
  gateway: Gateway,
  root: string,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  if (await gateway.isUp()) return async () => {};
  if (gateway.isNamed) throw new Error(`No mesh is ready at ${gateway.url}.`);
  say(`No mesh is ready at ${gateway.url}: starting one (npm start) …`);
  await script('start.mjs', root);
  if (await gateway.isUp()) return () => script('stop.mjs', root);
  throw new Error(`No mesh is ready at ${gateway.url} after npm start.`);
}

async function script(name: string, root: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'scripts', name)], { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`scripts/${name} ended with exit code ${code}`);
}
