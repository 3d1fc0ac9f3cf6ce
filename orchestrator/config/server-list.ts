import { type Clock, type ConfigView, GantryError, type ServerSpec } from '../kernel/index.ts';
import { type ApiServer, type BodyOptions, parseServerBody, parseStoredEntry, patchEntry } from './body.ts';
import { FileServers, type ListChange } from './file-servers.ts';
import type { ConfigFiles } from './files.ts';
import { exists, unchangeable } from './list-refusals.ts';
import type { Settings } from './load.ts';
import { defaultPortRange, type PortRange } from './port-range.ts';
import { invalidConfig, type Parsed } from './problem.ts';
import type { RawObject } from './raw.ts';
import type { Reload, ReloadTrigger } from './reload.ts';

/** Where servers made over the API are kept: the part of the registry that this list needs. */
export type EntryStore = {
  list(): Promise<readonly { readonly name: string; readonly entry: Readonly<Record<string, unknown>> }[]>;
  put(name: string, entry: Record<string, unknown>): Promise<unknown>;
  delete(name: string): Promise<unknown>;
};

export type ServerListOptions = {
  /** gantry.yaml and what belongs to it, read anew each time. */
  readonly files: ConfigFiles;
  readonly clock: Clock;
  readonly portRange?: PortRange;
  readonly store: EntryStore;
  /** Servers that are there for a time, beside those of file and store; they give way to one of the same name. */
  readonly registered?: () => readonly ServerSpec[];
  /** Throws where servers made over the API cannot be, for a reason outside their definition. */
  readonly admit?: (specs: readonly ServerSpec[]) => Promise<void>;
  /** Told whenever the list changes, with the whole of it. */
  readonly apply: (specs: readonly ServerSpec[]) => Promise<void>;
  readonly onTrouble: (message: string) => void;
  /** Told of every reading after the first. */
  readonly onReload?: (reload: Reload, settingsChanged: boolean) => void;
};

/**
 * All servers that there should be: those of gantry.yaml, and those made over the API. One change at a time;
 * the store is written before the list changes, so nothing that was confirmed is lost.
 */
export class ServerList {
  readonly #options: ServerListOptions;
  readonly #file: FileServers;
  readonly #made = new Map<string, ApiServer>();
  #storeWasRead = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ServerListOptions) {
    this.#options = options;
    const { files, clock, portRange = defaultPortRange, onReload = () => {} } = options;
    this.#file = new FileServers({ files, clock, portRange, onReload });
  }

  /** Whether the servers of the store are in it; before that a server may only seem to be gone. */
  get isWhole(): boolean {
    return this.#storeWasRead;
  }

  /** Reads the file for the first time. Applies nothing yet. @throws GantryError invalid_config */
  load(): Promise<Settings> {
    return this.#file.load();
  }

  /** What was last read, and what became of it. */
  get config(): ConfigView {
    return this.#file.view;
  }

  /** Those of the file. */
  get sets(): FileServers['sets'] {
    return this.#file.sets;
  }

  /** Brings the servers of the file up, and those of the store as soon as it can be read. */
  async start(): Promise<void> {
    await this.#exclusive(async () => {
      await this.#tryStore();
      await this.#apply();
    });
  }

  /** Servers have registered, or what lies over the definitions has changed. */
  again(): Promise<void> {
    return this.#exclusive(() => this.#apply());
  }

  /** The servers of file and store. */
  get specs(): readonly ServerSpec[] {
    return [...this.#file.specs, ...[...this.#made.values()].map(({ spec }) => spec)];
  }

  /** Reads the store if that has failed so far: the registry is back. */
  async storeIsBack(): Promise<void> {
    await this.#exclusive(async () => {
      if (this.#storeWasRead) return;
      await this.#tryStore();
      if (this.#storeWasRead) await this.#apply();
    });
  }

  /**
   * Applies exactly the difference between the files now and the files then, or nothing.
   * @param trigger `watch`: nobody asked, so a file without content is not believed; it is one that is being written
   * @throws GantryError invalid_config, server_exists; nothing changed then
   */
  reload(trigger: ReloadTrigger = 'api'): Promise<ListChange> {
    return this.#exclusive(async () => {
      const change = await this.#file.reload(trigger, (servers) => {
        const taken = servers.find(({ name }) => this.#made.has(name));
        if (taken !== undefined) throw exists(taken.name, 'was made over the API: delete it there first');
      });
      await this.#apply();
      return change;
    });
  }

  /** @throws GantryError invalid_config, server_exists, registry_unavailable */
  create(body: unknown): Promise<readonly string[]> {
    return this.#exclusive(async () => {
      const made = accepted(parseServerBody(body, this.#bodyOptions()));
      for (const { name } of made) if (this.#has(name)) throw exists(name, 'exists already');
      await this.#options.admit?.(made.map(({ spec }) => spec));
      await this.#needStore();
      await this.#storeAll(made);
      for (const server of made) this.#made.set(server.name, server);
      await this.#apply();
      return made.map(({ name }) => name);
    });
  }

  /** @throws GantryError server_not_found, managed_by_file, invalid_config, registry_unavailable */
  patch(name: string, patch: unknown): Promise<void> {
    return this.#exclusive(async () => {
      const before = this.#changeable(name);
      const after = accepted(patchEntry(name, before.entry as RawObject, patch, this.#bodyOptions(name)));
      await this.#options.admit?.([after.spec]);
      await this.#options.store.put(name, after.entry);
      this.#made.set(name, after);
      await this.#apply();
    });
  }

  /** @throws GantryError server_not_found, managed_by_file, registry_unavailable */
  remove(name: string): Promise<void> {
    return this.#exclusive(async () => {
      this.#changeable(name);
      await this.#options.store.delete(name);
      this.#made.delete(name);
      await this.#apply();
    });
  }

  /** All or none: what was stored before a failure is taken back. */
  async #storeAll(made: readonly ApiServer[]): Promise<void> {
    const { store, onTrouble } = this.#options;
    const stored: string[] = [];
    try {
      for (const { name, entry } of made) {
        await store.put(name, entry);
        stored.push(name);
      }
    } catch (error) {
      const takenBack = await Promise.allSettled(stored.map((name) => store.delete(name)));
      const kept = stored.filter((_, index) => takenBack[index]?.status === 'rejected');
      if (kept.length > 0)
        onTrouble(`These servers stayed in the registry after a refusal: ${kept.join(', ')}.`);
      throw error;
    }
  }

  #apply(): Promise<void> {
    const own = this.specs;
    const names = new Set(own.map(({ name }) => name));
    return this.#options.apply([...own, ...this.#registered.filter(({ name }) => !names.has(name))]);
  }

  get #registered(): readonly ServerSpec[] {
    return this.#options.registered?.() ?? [];
  }

  async #tryStore(): Promise<void> {
    try {
      for (const { name, entry } of await this.#options.store.list()) this.#restore(name, entry);
      this.#storeWasRead = true;
    } catch (error) {
      if (!(error instanceof GantryError && error.code === 'registry_unavailable')) throw error;
      this.#options.onTrouble('The registry is away: servers made over the API start when it is back.');
    }
  }

  #restore(name: string, entry: Readonly<Record<string, unknown>>): void {
    if (this.#file.specs.some((spec) => spec.name === name)) {
      return this.#options.onTrouble(`Server ${name} of the API is hidden by the one in gantry.yaml.`);
    }
    // Whom it depends on may only be restored after it.
    const { dependsOn: _later, ...options } = this.#bodyOptions(name);
    const parsed = parseStoredEntry(name, entry, options);
    if (parsed.ok) this.#made.set(name, parsed.value);
    else this.#options.onTrouble(`Server ${name} of the API is not valid any more and was left out.`);
  }

  async #needStore(): Promise<void> {
    if (this.#storeWasRead) return;
    await this.#tryStore();
    if (!this.#storeWasRead)
      throw new GantryError('registry_unavailable', 'The registry does not answer; nothing was changed.');
  }

  #has(name: string): boolean {
    return [...this.specs, ...this.#registered].some((spec) => spec.name === name);
  }

  #changeable(name: string): ApiServer {
    const server = this.#made.get(name);
    if (server !== undefined) return server;
    const isRegistered = this.#registered.some((spec) => spec.name === name);
    throw unchangeable(name, isRegistered ? 'registered' : this.#has(name) ? 'file' : null);
  }

  /** @param except the server whose own port may stay. */
  #bodyOptions(except?: string): BodyOptions {
    const { specs } = this;
    const usedPorts = new Map<number, string>();
    for (const { name, port } of specs) if (port !== null && name !== except) usedPorts.set(port, name);
    const others = specs.filter(({ name }) => name !== except);
    const dependsOn = new Map(others.map((spec) => [spec.name, spec.dependsOn]));
    return { portRange: this.#options.portRange ?? defaultPortRange, usedPorts, dependsOn };
  }

  /** Changes wait for each other: two at once could overwrite what the other has just stored. */
  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {
      // The caller of that change has its error; the next change starts afresh.
    });
    return result;
  }
}

function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw invalidConfig(parsed.problems);
}
