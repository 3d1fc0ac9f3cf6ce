import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The token that may change things, made at the first start and kept: whoever can read this file runs the mesh.
 * @returns the token and where it lies.
 * @throws Error when the file is empty, which would let everybody in
 */
export async function adminToken(
  stateDir: string,
): Promise<{ readonly token: string; readonly path: string }> {
  const path = join(stateDir, 'admin-token');
  await mkdir(stateDir, { recursive: true });
  const made = randomBytes(32).toString('base64url');
  const draft = `${path}.${made.slice(0, 8)}`;
  try {
    // A link appears whole and fails where there is one: of two starts at once both read the same token.
    await writeFile(draft, `${made}\n`, { mode: 0o600 });
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const token = (await readFile(path, 'utf8')).trim();
  if (token === '') throw new Error(`${path} is empty: delete it, and the next start makes a new token.`);
  return { token, path };
}
