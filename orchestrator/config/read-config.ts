import type { ConfigFiles } from './files.ts';
import { type Loaded, loadConfig } from './load.ts';
import type { PortRange } from './port-range.ts';
import { invalidConfig, type Problem } from './problem.ts';

export type ValidConfig = Extract<Loaded, { ok: true }>;

/**
 * Reads gantry.yaml with all that belongs to it.
 * @param isAsked false where nobody asked for it: then a file without content is not believed. It is one that is just
 *   being written, and taking all servers away has to be said.
 * @throws GantryError invalid_config with every problem
 */
export async function readConfig(
  files: ConfigFiles,
  portRange: PortRange,
  isAsked = true,
): Promise<ValidConfig> {
  const { base, overlay } = await files.read();
  if (!isAsked && base.text.trim() === '') throw invalidConfig([withoutContent(base.file)]);
  const { baseDir, readSecret } = files;
  const loaded = loadConfig(base.text, { baseDir, readSecret, portRange, overlay, fileName: base.file });
  if (!loaded.ok) throw invalidConfig(loaded.problems);
  return loaded;
}

function withoutContent(file: string): Problem {
  const message = 'is empty, as while an editor writes it; to take all servers away write servers: {}';
  return { file, path: '', line: 1, column: 1, message };
}
