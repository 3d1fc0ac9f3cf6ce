import { isDeepStrictEqual } from 'node:util';
import type { Clock, ConfigView, ServerSet, ServerSpec } from '../kernel/index.ts';
import { diffServers } from './diff.ts';
import type { ConfigFiles } from './files.ts';
import type { Settings } from './load.ts';
import type { PortRange } from './port-range.ts';
import { readConfig } from './read-config.ts';
import { acceptedReload, type Names, type Reload, type ReloadTrigger, refusedReload } from './reload.ts';

export type FileServersOptions = {
  readonly files: ConfigFiles;
  readonly clock: Clock;
  readonly portRange: PortRange;
  /** Told of every reading after the first. */
  readonly onReload: (reload: Reload, settingsChanged: boolean) => void;
};

export type ListChange = Names & {
  /** Whether auth, http or limits differ from those in force: these are only read at a start. */
  readonly settingsChanged: boolean;
};

/** What gantry.yaml says, as it is in force, and what became of the last reading. */
export class FileServers {
  readonly #options: FileServersOptions;
  #settings: Settings | null = null;
  #settingsChanged = false;
  #appliedAt = 0;
  #lastReload: Reload | null = null;
  #specs: readonly ServerSpec[] = [];
  #sets: readonly ServerSet[] = [];

  constructor(options: FileServersOptions) {
    this.#options = options;
  }

  get specs(): readonly ServerSpec[] {
    return this.#specs;
  }

  get sets(): readonly ServerSet[] {
    return this.#sets;
  }

  get view(): ConfigView {
    const { environment, names } = this.#options.files;
    return {
      environment,
      files: names,
      appliedAt: new Date(this.#appliedAt).toISOString(),
      settingsChanged: this.#settingsChanged,
      lastReload: this.#lastReload,
    };
  }

  /** The first reading, that of the start. @throws GantryError invalid_config */
  async load(): Promise<Settings> {
    const { files, portRange, clock } = this.#options;
    const { settings, servers, sets } = await readConfig(files, portRange);
    this.#specs = servers;
    this.#sets = sets;
    this.#settings = settings;
    this.#appliedAt = clock.now();
    return settings;
  }

  /**
   * Another reading, in force as a whole or not at all.
   * @param trigger `watch`: nobody asked, so a file without content is not believed
   * @param refuse throws where these servers cannot be, for a reason outside the file
   * @throws GantryError invalid_config, and what `refuse` throws; nothing changed then
   */
  async reload(
    trigger: ReloadTrigger,
    refuse: (servers: readonly ServerSpec[]) => void,
  ): Promise<ListChange> {
    const { files, portRange, clock } = this.#options;
    try {
      const { servers, settings, sets } = await readConfig(files, portRange, trigger !== 'watch');
      refuse(servers);
      const { added, changed, removed } = diffServers(this.#specs, servers);
      const names = {
        added: added.map(({ name }) => name),
        changed: changed.map(({ after }) => after.name),
        removed: removed.map(({ name }) => name),
      };
      this.#specs = servers;
      this.#sets = sets;
      this.#settingsChanged = !isDeepStrictEqual(settings, this.#settings);
      this.#appliedAt = clock.now();
      this.#tell(acceptedReload(this.#appliedAt, trigger, names));
      return { ...names, settingsChanged: this.#settingsChanged };
    } catch (error) {
      this.#tell(refusedReload(clock.now(), trigger, error, files.names[0] ?? ''));
      throw error;
    }
  }

  #tell(reload: Reload): void {
    this.#lastReload = reload;
    this.#options.onReload(reload, this.#settingsChanged);
  }
}
