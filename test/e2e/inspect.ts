import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { baseUrl } from './harness.ts';
import { mcpPath } from './mcp-session.ts';

export type Ended = { readonly exit: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the inspector's command line on a server, a set (`@name`) or all of them (`''`) to its end. */
export async function inspect(server: string, args: readonly string[]): Promise<Ended> {
  const shape = ['--transport', 'http', '--format', 'json', '-q', '--connect-timeout', '60000'];
  const child = spawn(
    'node_modules/.bin/mcp-inspector',
    ['--cli', `${baseUrl}${mcpPath(server)}`, ...shape, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exit: await exit, stdout, stderr };
}
