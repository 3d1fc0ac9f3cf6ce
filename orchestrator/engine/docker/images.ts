import type { ImageInspectInfo } from 'dockerode';
import { type BuildOptions, EngineError, type ImageStore } from '../engine.ts';
import { build } from './build.ts';
import { type DockerConnection, QUICK_MS, SLOW_MS } from './connection.ts';
import type { ImageDefaults } from './create-body.ts';
import { unlessStatus } from './errors.ts';
import { ownedBy, ownerChange } from './owner.ts';
import { Transcript } from './progress.ts';
import { readFile } from './read-file.ts';
import { needsPasswd, type RunUser, runUser } from './run-user.ts';
import { transfer } from './transfer.ts';

/** For a pull or an import as a whole: hundreds of megabytes on a slow line. */
const TRANSFER_MS = 15 * 60_000;
/** A registry that is not in reach is found out in this time. */
const PULL_IDLE_MS = 60_000;

export class DockerImages implements ImageStore {
  readonly #connection: DockerConnection;
  readonly #owner: string;
  /** By image id: an image's account list does not change. */
  readonly #users = new Map<string, RunUser>();

  /** @param owner whose the images are that are imported here. */
  constructor(connection: DockerConnection, owner: string) {
    this.#connection = connection;
    this.#owner = owner;
  }

  async has(tag: string): Promise<boolean> {
    return (await this.#find(tag)) !== undefined;
  }

  async inspect(tag: string): ReturnType<ImageStore['inspect']> {
    const found = await this.#find(tag);
    if (found === undefined) return null;
    const { User, Entrypoint, Cmd, Labels } = found.Config;
    const program = { entrypoint: list(Entrypoint), command: list(Cmd) };
    return { id: found.Id, user: User ?? '', ...program, labels: Labels ?? {} };
  }

  async runsAs(tag: string): Promise<RunUser> {
    return this.#user(await this.#require(tag));
  }

  /** What a container of this image starts from. @throws EngineError image_missing */
  async defaults(tag: string): Promise<{ readonly image: ImageDefaults; readonly user: string }> {
    const found = await this.#require(tag);
    const { Entrypoint, Cmd, Volumes } = found.Config;
    const { user } = await this.#user(found);
    const volumes = Object.keys(Volumes ?? {});
    return { image: { entrypoint: list(Entrypoint), command: list(Cmd), volumes }, user };
  }

  async import(tag: string, tar: NodeJS.ReadableStream, changes: readonly string[]): Promise<void> {
    const { name, version } = splitTag(tag);
    const end = await transfer({
      connection: this.#connection,
      transcript: new Transcript(),
      timeoutMs: TRANSFER_MS,
      idleMs: TRANSFER_MS,
      source: tar,
      run: (docker, abortSignal) =>
        docker.importImage(tar, {
          repo: name,
          tag: version,
          changes: [...changes, ownerChange(this.#owner)],
          abortSignal,
        }),
    });
    if (end !== null) throw new EngineError('bad_spec', `The image could not be imported: ${end.message}`);
  }

  build(options: BuildOptions): Promise<void> {
    return build(this.#connection, options);
  }

  async pull(tag: string): Promise<void> {
    const end = await transfer({
      connection: this.#connection,
      transcript: new Transcript(),
      timeoutMs: TRANSFER_MS,
      idleMs: PULL_IDLE_MS,
      source: null,
      run: (docker, abortSignal) => docker.createImage({ fromImage: pullName(tag), abortSignal }),
    });
    if (end === null) return;
    const message = `The image ${tag} could not be fetched: its registry does not have it, or is not in reach.`;
    throw new EngineError('image_missing', message, { cause: new Error(end.message) });
  }

  readFile(tag: string, path: string): Promise<Buffer> {
    return readFile(this.#connection, this.#owner, tag, path);
  }

  async list(owner: string): ReturnType<ImageStore['list']> {
    const listed = await this.#connection.request('image', QUICK_MS, (docker, abortSignal) =>
      docker.listImages({ filters: ownedBy(owner), abortSignal } as object),
    );
    return listed.flatMap(({ RepoTags, Labels }) =>
      (RepoTags ?? []).map((tag) => ({ tag, labels: Labels ?? {} })),
    );
  }

  async remove(tag: string): Promise<void> {
    const removed = this.#connection.request('image', SLOW_MS, (docker, abortSignal) =>
      docker.getImage(tag).remove({ abortSignal }),
    );
    await unlessStatus(removed, 404, 409);
  }

  #find(tag: string): Promise<ImageInspectInfo | undefined> {
    const found = this.#connection.request('image', QUICK_MS, (docker, abortSignal) =>
      docker.getImage(tag).inspect({ abortSignal } as object),
    );
    return unlessStatus(found, 404);
  }

  async #require(tag: string): Promise<ImageInspectInfo> {
    const found = await this.#find(tag);
    if (found === undefined) throw new EngineError('image_missing', `The image ${tag} is not there.`);
    return found;
  }

  async #user({ Id: id, Config: config }: ImageInspectInfo): Promise<RunUser> {
    const known = this.#users.get(id);
    if (known !== undefined) return known;
    const user = config.User ?? '';
    const passwd = needsPasswd(user) ? await this.#passwd(id) : null;
    const decided = runUser(user, passwd);
    this.#users.set(id, decided);
    return decided;
  }

  async #passwd(imageId: string): Promise<string | null> {
    try {
      return (await this.readFile(imageId, '/etc/passwd')).toString('utf8');
    } catch (error) {
      // Without an account list no name can be resolved, and the fallback user is taken.
      if (error instanceof EngineError) return null;
      throw error;
    }
  }
}

function list(value: string | string[] | null | undefined): readonly string[] {
  return Array.isArray(value) ? value : value ? [value] : [];
}

/** `repo:port/name:tag` cut at the tag. */
export function splitTag(tag: string): { name: string; version: string } {
  const colon = tag.lastIndexOf(':');
  if (colon === -1 || tag.indexOf('/', colon) !== -1) return { name: tag, version: 'latest' };
  return { name: tag.slice(0, colon), version: tag.slice(colon + 1) };
}

/** Without tag or digest the daemon would fetch every tag there is. */
function pullName(tag: string): string {
  if (tag.includes('@')) return tag;
  const { name, version } = splitTag(tag);
  return `${name}:${version}`;
}
