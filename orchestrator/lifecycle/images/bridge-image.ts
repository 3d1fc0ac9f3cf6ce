import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../engine/index.ts';

/**
 * Loads the image that npm and Python servers run in, when its content tag is missing on the engine.
 * @param dir holds `rootfs.tar`, `tag` (the tag, which names the content) and `changes` (image settings, one
 *   Dockerfile instruction per line)
 * @returns the tag
 * @throws GantryError engine_unavailable, EngineError; a plain file system error where `dir` is incomplete
 */
export async function ensureBridgeImage(engine: Engine, dir: string): Promise<string> {
  const tag = (await readFile(join(dir, 'tag'), 'utf8')).trim();
  if (await engine.images.has(tag)) return tag;
  const changes = (await readFile(join(dir, 'changes'), 'utf8'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  await engine.images.import(tag, createReadStream(join(dir, 'rootfs.tar')), changes);
  return tag;
}
