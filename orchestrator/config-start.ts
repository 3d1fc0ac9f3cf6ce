import { basename } from 'node:path';
import { problemText, type ServerList, type Settings } from './config/index.ts';
import { GantryError } from './kernel/index.ts';

/** @throws Error that lists every problem of the file, a line each */
export async function loadSettings(list: ServerList, configFile: string): Promise<Settings> {
  try {
    return await list.load();
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'invalid_config')) throw error;
    const problems = error.detail.problems as Parameters<typeof problemText>[1][];
    throw new Error(problems.map((problem) => problemText(basename(configFile), problem)).join('\n'));
  }
}

/** A refusal has been stated with all its problems; anything else is a fault of ours. */
export function toldAsRefused(error: unknown): void {
  if (!(error instanceof GantryError)) throw error;
}
