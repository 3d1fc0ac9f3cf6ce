import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The token that may change things, made at the first start and kept: whoever can read this file runs the mesh.
 * @returns the token and where it lies.
 */
export async function adminToken(
  stateDir: string,
): Promise<{ readonly token: string; readonly path: string }> {
  const path = join(stateDir, 'admin-token');
  await mkdir(stateDir, { recursive: true });
  try {
    // `wx` fails when the file exists: two starts at once cannot overwrite each other's token.
    await writeFile(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return { token: (await readFile(path, 'utf8')).trim(), path };
}
