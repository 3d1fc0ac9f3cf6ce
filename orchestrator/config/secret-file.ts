import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** The text that a value of `env` refers to, or what is wrong with its file: words that never hold the text. */
export type SecretText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

/** @param path as written, after `secretPathProblem` found nothing wrong with it. */
export type ReadSecret = (path: string) => SecretText;

/** `MAX_ARG_STRLEN` of Linux: the kernel takes no longer variable. */
const longestBytes = 128 * 1024 - 1;

/** Null when it is a file below the directory of gantry.yaml, as far as the text tells. */
export function secretPathProblem(text: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what is looked for
  const isPlain = text !== '' && !/[\u0000-\u001f\\]/.test(text);
  if (isPlain && !/^[/~]/.test(text) && !/\/$/.test(text) && !text.split('/').includes('..')) return null;
  return 'must be a file below the directory of gantry.yaml, such as secrets/token';
}

/**
 * Reads files below one directory and nowhere else. Each is a regular file: a pipe would never end, a device may be
 * anything. One line end at the end of the text is taken off, because editors and `echo` put one there.
 * @param baseDir absolute
 */
export function secretReader(baseDir: string): ReadSecret {
  return (path) => {
    try {
      const base = realpathSync(baseDir);
      const real = realpathSync(join(base, path));
      if (!real.startsWith(base === sep ? sep : `${base}${sep}`)) {
        return refused(`${path} leads out of the directory of gantry.yaml through a symbolic link`);
      }
      return readRegular(path, real);
    } catch (error) {
      return refused(`${path} ${inWords((error as NodeJS.ErrnoException).code)}`);
    }
  };
}

function readRegular(path: string, real: string): SecretText {
  // Not followed and not waited for: what stands there may have been replaced since it was resolved.
  const file = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) return refused(`${path} is not a regular file`);
    if (facts.size > longestBytes) return refused(`${path} is over 128 KiB`);
    const text = decoded(readFileSync(file));
    if (text === null) return refused(`${path} is not UTF-8 text`);
    const value = text.replace(/\r?\n$/, '');
    if (value === '') return refused(`${path} is empty`);
    if (value.includes('\0')) return refused(`${path} contains NUL, which ends a variable`);
    return { ok: true, text: value };
  } finally {
    closeSync(file);
  }
}

function decoded(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function inWords(code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by the user that Gantry runs as: chmod o+r, and o+x its directory';
    case 'ENOTDIR':
    case 'EISDIR':
      return 'is not a regular file';
    case 'ELOOP':
      return 'is a symbolic link that leads nowhere';
    default:
      return `cannot be read (${code ?? 'unknown'})`;
  }
}

function refused(message: string): SecretText {
  return { ok: false, message };
}
