import { BRIDGE_LABEL, BRIDGE_PROTOCOL, type Engine } from '../../engine/index.ts';
import {
  type Clock,
  type Facts,
  GantryError,
  type ServerSpec,
  type Source,
  shortId,
} from '../../kernel/index.ts';
import { serverImage, sha256 } from '../labels.ts';
import { hashContext, listContext, packDirectory, packFiles } from './build-context.ts';
import { Builds } from './builds.ts';
import { type Package, packageContext, versionContext } from './dockerfiles.ts';
import { installFailure } from './install-failure.ts';
import { installPackage } from './install-package.ts';
import { COMMAND_FILE, VERSION_FILE } from './install-scripts.ts';
import type { PreparedImage } from './prepared-image.ts';

/** Versions that were chosen once, by key such as `npm:@scope/name`. `put` answers what is pinned now: the first one wins. */
export type Pins = {
  get(key: string): Promise<string | null>;
  put(key: string, version: string): Promise<string>;
};

export type ImagesOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly owner: string;
  readonly pins: Pins;
  /** The tag of the bridge image, loaded where it is missing (`ensureBridgeImage`). */
  readonly bridgeTag: () => Promise<string>;
  /** Where Python packages come from, where it is not the usual index. */
  readonly pypiIndexUrl?: string | null;
  /** The same for npm. */
  readonly npmRegistryUrl?: string | null;
};

type Made = Omit<PreparedImage, 'hasBridge'>;

/** Makes sure that a server's image is on the engine. A tag names its content, so what is there is never rebuilt. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #builds: Builds;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#builds = new Builds(options);
  }

  /** @throws StartFailure install_failed | image_missing, GantryError engine_unavailable | registry_unavailable */
  async prepare(spec: ServerSpec): Promise<PreparedImage> {
    const made = await this.#make(spec);
    const image = await this.#options.engine.images.inspect(made.tag);
    return { ...made, hasBridge: image?.labels[BRIDGE_LABEL] === BRIDGE_PROTOCOL };
  }

  async #make(spec: ServerSpec): Promise<Made> {
    const { source } = spec;
    switch (source.kind) {
      case 'url':
        throw new TypeError('a server elsewhere has no image');
      case 'npm':
      case 'pypi':
        return await this.#package(spec, source);
      case 'build':
        return await this.#directory(spec, source);
      case 'image':
        await this.#builds.once(source.image, () => this.#options.engine.images.pull(source.image));
        return { tag: source.image, command: source.command, resolved: null };
    }
  }

  async #package(spec: ServerSpec, source: Extract<Source, { kind: 'npm' | 'pypi' }>): Promise<Made> {
    const { engine, owner } = this.#options;
    const bridgeTag = await this.#options.bridgeTag();
    const version = source.version ?? (await this.#pinnedVersion(spec, source, bridgeTag));
    const wanted: Package = { kind: source.kind, name: source.name, version, bin: source.bin };
    const files = packageContext(bridgeTag, wanted, spec.data);
    const buildArgs = this.#indexArgs(source.kind);
    const tag = tagOf(spec.name, JSON.stringify([files, buildArgs]));
    const install = { owner, server: spec.name, tag, bridgeTag, wanted, data: spec.data, buildArgs };
    await this.#made(
      source,
      this.#builds.ensure(spec.name, tag, () => installPackage(this.#builds, engine, install)),
    );
    const written = await engine.images.readFile(tag, COMMAND_FILE);
    const { command } = JSON.parse(written.toString('utf8')) as { command: readonly string[] };
    return { tag, command, resolved: source.version === null ? version : null };
  }

  /** A missing version is looked up once and stays what it was then. */
  async #pinnedVersion(
    spec: ServerSpec,
    source: Extract<Source, { kind: 'npm' | 'pypi' }>,
    bridgeTag: string,
  ): Promise<string> {
    const { pins, engine } = this.#options;
    const key = `${source.kind}:${source.name}`;
    const pinned = await pins.get(key);
    if (pinned !== null) return pinned;
    const nonce = shortId();
    const files = versionContext(bridgeTag, source.kind, source.name, nonce);
    const tag = `gantry/version-${spec.name}:${nonce}`;
    const buildArgs = this.#indexArgs(source.kind);
    const build = { server: spec.name, tag, context: () => packFiles(files), buildArgs };
    await this.#made(
      source,
      this.#builds.ensure(spec.name, tag, () => this.#builds.run(build)),
    );
    const version = (await engine.images.readFile(tag, VERSION_FILE)).toString('utf8').trim();
    await engine.images.remove(tag);
    // It becomes part of a command line and of a tag's content; an index is foreign too.
    if (!/^[0-9A-Za-z][0-9A-Za-z.+!_-]*$/.test(version)) {
      throw new GantryError('internal', `The version that was found for ${key} is not usable.`);
    }
    return await pins.put(key, version);
  }

  async #directory(spec: ServerSpec, source: Extract<Source, { kind: 'build' }>): Promise<Made> {
    const bridgeTag = await this.#options.bridgeTag();
    const entries = await listContext(source.path);
    const content = await hashContext(source.path, entries);
    const buildArgs = {
      GANTRY_BRIDGE_IMAGE: bridgeTag,
      ...this.#indexArgs('npm'),
      ...this.#indexArgs('pypi'),
    };
    const tag = tagOf(spec.name, JSON.stringify([content, buildArgs]));
    const context = (): NodeJS.ReadableStream => packDirectory(source.path, entries);
    const build = { server: spec.name, tag, context, buildArgs };
    await this.#made(
      source,
      this.#builds.ensure(spec.name, tag, () => this.#builds.run(build)),
    );
    return { tag, command: source.command, resolved: null };
  }

  #indexArgs(kind: 'npm' | 'pypi'): Record<string, string> {
    const { npmRegistryUrl, pypiIndexUrl } = this.#options;
    if (kind === 'npm') return npmRegistryUrl ? { npm_config_registry: npmRegistryUrl } : {};
    if (!pypiIndexUrl) return {};
    const { protocol, hostname } = new URL(pypiIndexUrl);
    // pip refuses plain HTTP unless the host is named as trusted: whoever configures such an index means it.
    return { PIP_INDEX_URL: pypiIndexUrl, ...(protocol === 'http:' ? { PIP_TRUSTED_HOST: hostname } : {}) };
  }

  /** @throws StartFailure install_failed with what a user can do about it */
  async #made(source: Source, building: Promise<void>): Promise<void> {
    try {
      await building;
    } catch (error) {
      throw installFailure(error, source);
    }
  }
}

function tagOf(server: string, content: string): string {
  return `${serverImage(server)}:${sha256(content).slice(0, 12)}`;
}
