import { attempt } from './run.mjs';
import { readSettings } from './settings.mjs';
import { Stack } from './stack.mjs';

/** The stack as it may be running now, or null where no engine answers: then nothing of it runs either. */
export async function openStack(root, project = process.env.COMPOSE_PROJECT_NAME || 'gantry') {
  if ((await attempt(['docker', 'compose', 'ls', '--quiet'], { timeoutMs: 15_000 })).code !== 0) return null;
  return new Stack({ root, project, settings: await readSettings(root), env: {} });
}
