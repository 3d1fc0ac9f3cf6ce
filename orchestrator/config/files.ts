import { type BigIntStats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { ConfigText } from './overlay.ts';
import { invalidConfig } from './problem.ts';
import { type ReadSecret, secretReader } from './secret-file.ts';

/** As in the name of its file, `gantry.production.yaml`. */
export const environmentPattern = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * The files that the configuration stands in: gantry.yaml, the one of the environment, and those that values of `env`
 * and `headers` refer to. Remembers how each looked just before it was read, so that a later change is never missed.
 */
export class ConfigFiles {
  /** Absolute directory of gantry.yaml. */
  readonly baseDir: string;
  readonly environment: string | null;
  /** In the order in which they are laid over each other. */
  readonly names: readonly string[];
  readonly readSecret: ReadSecret;
  #seen = new Map<string, string>();

  /**
   * @param path absolute, of gantry.yaml
   * @param environment one that fits `environmentPattern`
   */
  constructor(path: string, environment: string | null) {
    this.baseDir = dirname(path);
    this.environment = environment;
    const suffix = extname(path);
    const overlay = `${basename(path, suffix)}.${environment}${suffix}`;
    this.names = [basename(path), ...(environment === null ? [] : [overlay])];
    const read = secretReader(this.baseDir);
    this.readSecret = (file) => {
      const at = join(this.baseDir, file);
      this.#seen.set(
        at,
        lookOf(() => statSync(at, { bigint: true })),
      );
      return read(file);
    };
  }

  /** All files of the last reading, absolute. */
  get paths(): readonly string[] {
    return [...new Set([...this.names.map((name) => join(this.baseDir, name)), ...this.#seen.keys()])];
  }

  /** @throws GantryError invalid_config, naming the file that cannot be read */
  async read(): Promise<{ readonly base: ConfigText; readonly overlay: ConfigText | null }> {
    this.#seen = new Map();
    const texts: ConfigText[] = [];
    for (const file of this.names) texts.push({ file, text: await this.#text(file) });
    const [base = { file: '', text: '' }, overlay = null] = texts;
    return { base, overlay };
  }

  /** Null while every file looks as it did when it was read; else a text that differs for every other look. */
  async changes(): Promise<string | null> {
    const looks = await Promise.all(
      this.paths.map(async (path) => {
        const stats = await stat(path, { bigint: true }).catch(() => null);
        const look = stats === null ? 'absent' : textOf(stats);
        return look === this.#seen.get(path) ? [] : [`${path} ${look}`];
      }),
    );
    const changed = looks.flat();
    return changed.length === 0 ? null : changed.join('\n');
  }

  async #text(file: string): Promise<string> {
    const path = join(this.baseDir, file);
    this.#seen.set(
      path,
      lookOf(() => statSync(path, { bigint: true })),
    );
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    } catch (error) {
      const isOverlay = file !== this.names[0];
      throw invalidConfig([{ file, path: '', line: null, column: null, message: why(error, isOverlay) }]);
    }
  }
}

function why(error: unknown, isOverlay: boolean): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && isOverlay) {
    return 'cannot be read: it does not exist, and GANTRY_ENVIRONMENT names it; one without content is enough';
  }
  if (code === 'ENOENT') return 'cannot be read: it does not exist';
  if (code === 'EACCES') return 'cannot be read by the user that Gantry runs as: chmod o+r';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'cannot be read: it is not UTF-8 text';
  return `cannot be read (${code ?? 'unknown'})`;
}

function lookOf(ask: () => BigIntStats): string {
  try {
    return textOf(ask());
  } catch {
    return 'absent';
  }
}

/** A file that replaced another by rename has another inode; one that was written in place another time. */
function textOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
