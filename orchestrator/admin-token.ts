import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A secret text of 32 random bytes (base64url) and where it lies. */
export type KeptToken = { readonly token: string; readonly path: string };

/** The token that may change things: whoever can read this file runs the mesh. Throws as `keptToken`. */
export function adminToken(stateDir: string): Promise<KeptToken> {
  return keptToken(stateDir, 'admin-token');
}

/**
 * A token that is made at the first start and kept.
 * @throws Error when the file is empty: everybody would know it
 */
export async function keptToken(stateDir: string, name: string): Promise<KeptToken> {
  const path = join(stateDir, name);
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
