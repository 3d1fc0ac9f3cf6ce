import type { VolumeStore } from '../engine.ts';
import { EngineError } from '../engine.ts';
import { type DockerConnection, QUICK_MS, SLOW_MS } from './connection.ts';
import { createOptions } from './create-body.ts';
import { unlessStatus } from './errors.ts';
import { helperLabels } from './helpers.ts';
import { ownedBy } from './owner.ts';

const MOUNTED_AT = '/gantry-volume';

export class DockerVolumes implements VolumeStore {
  readonly #connection: DockerConnection;
  readonly #helperImage: string | null;
  readonly #owner: string;
  /** Volumes whose owner this process has seen to. */
  readonly #owned = new Set<string>();

  /** @param helperImage an image with `chown` in it, or null where no volume will be made. */
  constructor(connection: DockerConnection, helperImage: string | null, owner: string) {
    this.#connection = connection;
    this.#helperImage = helperImage;
    this.#owner = owner;
  }

  async ensure(name: string, labels: Readonly<Record<string, string>>, ownerUid: number): Promise<boolean> {
    const found = await unlessStatus(
      this.#connection.request('volume', QUICK_MS, (docker, abortSignal) =>
        docker.getVolume(name).inspect({ abortSignal }),
      ),
      404,
    );
    if (found === undefined) {
      this.#owned.delete(ownerKey(name, ownerUid));
      await this.#connection.request('volume', SLOW_MS, (docker, abortSignal) =>
        docker.createVolume({ Name: name, Labels: { ...labels }, abortSignal }),
      );
    }
    // Also where it exists: a process killed between making it and giving it away leaves it to root.
    if (!this.#owned.has(ownerKey(name, ownerUid))) await this.#chown(name, ownerUid);
    this.#owned.add(ownerKey(name, ownerUid));
    return found === undefined;
  }

  async list(owner: string): ReturnType<VolumeStore['list']> {
    const filters = ownedBy(owner);
    const { Volumes } = await this.#connection.request('volume', QUICK_MS, (docker, abortSignal) =>
      docker.listVolumes({ filters, abortSignal } as object),
    );
    return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} }));
  }

  async remove(name: string): Promise<void> {
    const removed = this.#connection.request('volume', SLOW_MS, (docker, abortSignal) =>
      docker.getVolume(name).remove({ abortSignal }),
    );
    await unlessStatus(removed, 404);
  }

  /** Docker makes volumes for root, and nothing but a root process inside a container can change that. */
  async #chown(name: string, uid: number): Promise<void> {
    const image = this.#helperImage;
    if (image === null) throw new EngineError('bad_spec', 'Volumes need a helper image.');
    const body = chownBody(image, name, uid, this.#owner);
    const { id } = await this.#connection.request('helper image', SLOW_MS, (docker, abortSignal) =>
      docker.createContainer(createOptions(null, body, abortSignal)),
    );
    try {
      await this.#run(id, name);
    } finally {
      const removed = this.#connection.request('container', SLOW_MS, (docker, abortSignal) =>
        docker.getContainer(id).remove({ force: true, abortSignal }),
      );
      await unlessStatus(removed, 404, 409);
    }
  }

  async #run(id: string, name: string): Promise<void> {
    await this.#connection.request('container', SLOW_MS, (docker, abortSignal) =>
      docker.getContainer(id).start({ abortSignal }),
    );
    const end = (await this.#connection.request('container', SLOW_MS, (docker, abortSignal) =>
      docker.getContainer(id).wait({ abortSignal }),
    )) as { StatusCode: number };
    if (end.StatusCode !== 0) {
      throw new EngineError('bad_spec', `The volume ${name} could not be given to its user.`);
    }
  }
}

function ownerKey(name: string, uid: number): string {
  return `${uid} ${name}`;
}

/** Root, but with one capability, no network and nothing to write but the volume. */
function chownBody(image: string, name: string, uid: number, owner: string): object {
  return {
    Image: image,
    Entrypoint: ['chown', `${uid}:${uid}`, MOUNTED_AT],
    Cmd: [],
    User: '0:0',
    Labels: helperLabels('chown', owner),
    HostConfig: {
      CapDrop: ['ALL'],
      CapAdd: ['CHOWN'],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      NetworkMode: 'none',
      LogConfig: { Type: 'none', Config: {} },
      Memory: 64 * 1024 * 1024,
      PidsLimit: 16,
      Mounts: [{ Type: 'volume', Source: name, Target: MOUNTED_AT, VolumeOptions: { NoCopy: true } }],
    },
  };
}
