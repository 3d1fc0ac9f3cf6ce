import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, messageOf } from '../kernel/index.ts';

/** Where the system tells of changes they are seen at once; this is for where it does not: mounts from other systems. */
const POLL_MS = 2000;
/** Files have to look the same for so long: an editor may empty one before it writes it, or write several. */
const SETTLE_MS = 300;

export type FileWatchOptions = {
  /** Absolute; asked again after every change. */
  readonly paths: () => readonly string[];
  /** Null while nothing has changed, else a text for how the files look now. */
  readonly changes: () => Promise<string | null>;
  /** Called once the files have settled. What it throws is told as trouble. */
  readonly onChange: () => Promise<unknown>;
  readonly onTrouble: (message: string) => void;
  readonly clock: Clock;
};

/**
 * Notices that files have changed. It is the directories that are watched, since editors and tools save by putting
 * another file in the place of the old one, and what the system tells is only a reason to look: whether something has
 * changed is always read from the files themselves, every two seconds at the latest.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watched = new Map<string, FSWatcher>();
  #cancel: () => void = () => {};
  #looking = false;
  #lookAgain = false;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#listen();
    this.#lookIn(POLL_MS);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #lookIn(delayMs: number): void {
    this.#cancel();
    if (!this.#closed) this.#cancel = this.#options.clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#lookAgain = false;
    try {
      if (await this.#settled()) {
        await this.#options.onChange();
        this.#listen();
      }
    } catch (error) {
      this.#options.onTrouble(messageOf(error));
    }
    this.#looking = false;
    this.#lookIn(this.#lookAgain ? 0 : POLL_MS);
  }

  /** @returns whether there is a change that has come to rest. */
  async #settled(): Promise<boolean> {
    let before = await this.#options.changes();
    while (before !== null && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#options.clock.after(SETTLE_MS, resolve);
      await promise;
      const now = await this.#options.changes();
      if (now === before) return true;
      before = now;
    }
    return false;
  }

  /** Where a directory cannot be watched, looking every two seconds has to do. */
  #listen(): void {
    const wanted = new Set(this.#options.paths().map((path) => dirname(path)));
    for (const [directory, watcher] of this.#watched) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watched.delete(directory);
    }
    for (const directory of wanted) if (!this.#watched.has(directory)) this.#watchDirectory(directory);
  }

  #watchDirectory(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => {
        if (this.#looking) this.#lookAgain = true;
        else this.#lookIn(0);
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watched.delete(directory);
      });
      this.#watched.set(directory, watcher);
    } catch {
      // It does not exist, or there are no watches left.
    }
  }
}
