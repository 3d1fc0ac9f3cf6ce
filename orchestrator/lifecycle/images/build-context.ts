import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { reason } from '../../kernel/index.ts';
import { StartFailure } from '../start-failure.ts';
import type { ContextFiles } from './dockerfiles.ts';

/** Above any sensible source tree; a home directory named by mistake should not be streamed to the end. */
const MAX_CONTEXT_BYTES = 200 * 1024 * 1024;
const NEVER_SENT = ['.git', 'node_modules'];

export type ContextEntry = {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly kind: 'file' | 'link';
  readonly mode: number;
  readonly sizeBytes: number;
};

/** A context that was written in memory. */
export function packFiles(files: ContextFiles): NodeJS.ReadableStream {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name, mtime: new Date(0) }, content);
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}

/**
 * What of a directory belongs to its build context: everything but `.git`, `node_modules` and what `.dockerignore`
 * names, in a stable order. Links are sent as links and never followed.
 * @throws StartFailure install_failed
 */
export async function listContext(directory: string): Promise<readonly ContextEntry[]> {
  const ignored = await ignoreRule(directory);
  const found: ContextEntry[] = [];
  let bytes = 0;
  const walk = async (folder: string): Promise<void> => {
    const names = await readdir(join(directory, folder));
    for (const name of names.sort()) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (NEVER_SENT.includes(name) || ignored(path)) continue;
      const { mode, size, ...kind } = await stat(join(directory, path));
      if (kind.isDirectory) await walk(path);
      if (kind.isFile || kind.isLink) {
        found.push({ path, kind: kind.isLink ? 'link' : 'file', mode: mode & 0o777, sizeBytes: size });
      }
      bytes += kind.isFile ? size : 0;
      if (bytes > MAX_CONTEXT_BYTES) throw tooLarge(directory);
    }
  };
  await walk('').catch((error: unknown) => {
    throw error instanceof StartFailure ? error : unreadable(directory, error);
  });
  return found;
}

/** A digest of names, modes and contents: the same sources give the same image. */
export async function hashContext(directory: string, entries: readonly ContextEntry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, kind, mode } of entries) {
    hash.update(`${JSON.stringify([path, kind, mode])}\n`);
    if (kind === 'link') hash.update(await readlink(join(directory, path)));
    else for await (const bytes of createReadStream(join(directory, path))) hash.update(bytes as Buffer);
  }
  return hash.digest('hex');
}

/** The context as a tar stream, one file in memory at no time. */
export function packDirectory(directory: string, entries: readonly ContextEntry[]): NodeJS.ReadableStream {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const { path, kind, mode, sizeBytes } of entries) {
      const header = { name: path, mode, mtime: new Date(0) };
      if (kind === 'link') {
        tar.entry({ ...header, type: 'symlink', linkname: await readlink(join(directory, path)) });
      } else {
        await pipeline(createReadStream(join(directory, path)), tar.entry({ ...header, size: sizeBytes }));
      }
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar, { objectMode: false });
}

async function stat(path: string) {
  const found = await lstat(path);
  const { mode, size } = found;
  return {
    mode,
    size,
    isDirectory: found.isDirectory(),
    isFile: found.isFile(),
    isLink: found.isSymbolicLink(),
  };
}

/** `.dockerignore` as far as sources of a server need it: patterns, `!` exceptions, comments; the last match wins. */
async function ignoreRule(directory: string): Promise<(path: string) => boolean> {
  const text = await readFile(join(directory, '.dockerignore'), 'utf8').catch(() => ''); // most have none
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: line.replace(/^!?\/?/, '').replace(/\/$/, '') }));
  return (path) => {
    // The builder needs both, whatever the rules say.
    if (path === 'Dockerfile' || path === '.dockerignore') return false;
    const last = rules.findLast(
      ({ pattern }) => matchesGlob(path, pattern) || matchesGlob(path, `${pattern}/**`),
    );
    return last !== undefined && !last.keeps;
  };
}

function tooLarge(directory: string): StartFailure {
  const megabytes = MAX_CONTEXT_BYTES / 1024 / 1024;
  const text = `The build directory ${directory} holds more than ${megabytes} MiB. Name what is not needed in its .dockerignore.`;
  return new StartFailure(reason('install_failed', text));
}

function unreadable(directory: string, cause: unknown): StartFailure {
  const text = `The build directory ${directory} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}).`;
  return new StartFailure(reason('install_failed', text), { cause });
}
