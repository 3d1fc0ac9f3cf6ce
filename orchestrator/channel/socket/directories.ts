import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Others may pass through and not list: a process in a container has an id of its own, and needs the one name alone. */
const DIRECTORY_MODE = 0o711;

export type ChannelDirectoriesOptions = {
  /** The volume that is shared with the engine, as this process sees it. */
  readonly root: string;
  /** The same as the engine sees it: it mounts directories from there. */
  readonly engineRoot: string;
  /** Several meshes may share the volume; each has a directory of its own in it. */
  readonly owner: string;
  /** 32 bytes that only this mesh knows and that outlive its process. */
  readonly key: Buffer;
};

/**
 * The directories that replicas find their sockets in, one each, and what a replica proves itself with. A secret is derived
 * from the key and the name, so whoever has the key finds it again without having stored it.
 */
export class ChannelDirectories {
  readonly #options: ChannelDirectoriesOptions;

  constructor(options: ChannelDirectoriesOptions) {
    this.#options = options;
  }

  /** A name that was never used. Short: paths of sockets have 107 characters at most. */
  newName(): string {
    return randomBytes(8).toString('hex');
  }

  pathOf(name: string): string {
    return join(this.#options.root, this.#options.owner, name);
  }

  /** What is mounted into the replica's container. */
  enginePathOf(name: string): string {
    return join(this.#options.engineRoot, this.#options.owner, name);
  }

  secretOf(name: string): Buffer {
    const { key, owner } = this.#options;
    return createHmac('sha256', key).update(`${owner}/${name}`).digest();
  }

  /** Before its container is made: the engine mounts only what is there. */
  async make(name: string): Promise<void> {
    await mkdir(this.pathOf(name), { recursive: true, mode: DIRECTORY_MODE });
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { recursive: true, force: true });
  }

  /** Removes what no container uses. @param keep names that are in use, or about to be */
  async sweep(keep: ReadonlySet<string>): Promise<void> {
    const names = await readdir(join(this.#options.root, this.#options.owner)).catch(noneYet);
    await Promise.all(names.filter((name) => !keep.has(name)).map((name) => this.remove(name)));
  }
}

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
