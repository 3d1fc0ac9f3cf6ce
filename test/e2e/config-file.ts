import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { api, expectStatus, type Json } from './harness.ts';
import { until } from './until.ts';

export type ConfigView = {
  readonly environment: string | null;
  readonly files: readonly string[];
  readonly settingsChanged: boolean;
  readonly lastReload: {
    readonly at: string;
    readonly trigger: string;
    readonly outcome: string;
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
    readonly problems: readonly {
      readonly file: string;
      readonly path: string;
      readonly line: number | null;
      readonly column: number | null;
      readonly message: string;
    }[];
  } | null;
};

/** A file in the directory of the stack's gantry.yaml. */
export function configPath(name: string): string {
  const directory = process.env.GANTRY_TEST_CONFIG_DIR;
  if (!directory) throw new Error('GANTRY_TEST_CONFIG_DIR is not set: run these tests through npm test.');
  return join(directory, name);
}

export function config(): Promise<ConfigView> {
  return expectStatus<ConfigView>(200, api('GET', '/api/v1/config', { token: null }));
}

/** gantry.yaml with servers of the test behind those that are in it. */
export function configWith(original: string, servers: Readonly<Record<string, Json>>): string {
  const rows = Object.entries(servers).map(([name, entry]) => `  ${name}: ${JSON.stringify(entry)}`);
  return `${original.trimEnd()}\n\n  # Of a test.\n${rows.join('\n')}\n`;
}

export function readConfig(name = 'gantry.yaml'): Promise<string> {
  return readFile(configPath(name), 'utf8');
}

/**
 * Writes a file as an editor does, and waits until it has been noticed.
 * @param how `rename`: another file takes its place. `in place`: the same one gets another content.
 */
export async function editConfig(
  text: string,
  { name = 'gantry.yaml', how = 'rename' }: { name?: string; how?: 'rename' | 'in place' } = {},
): Promise<NonNullable<ConfigView['lastReload']>> {
  const before = (await config()).lastReload?.at;
  const path = configPath(name);
  await writeFile(how === 'rename' ? `${path}.new` : path, text);
  if (how === 'rename') await rename(`${path}.new`, path);
  return await until(`the edit of ${name} has been noticed`, async () => {
    const { lastReload } = await config();
    return lastReload !== null && lastReload.at !== before && lastReload.trigger === 'watch' && lastReload;
  });
}
