import type { ContainerSpec, Engine } from '../engine/index.ts';
import { type ServerSpec, shortId } from '../kernel/index.ts';
import type { ChannelMaker } from './channel-maker.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { containerLabels, volumeLabels, volumeName } from './labels.ts';

/** Open files per process: what servers need, far from what a leak can do to the host. */
const NOFILE = 1024;

export type ContainerRequest = {
  readonly spec: ServerSpec;
  readonly image: PreparedImage;
  readonly replicaId: string;
  readonly generation: number;
  /** Whose data the volume holds; null for a shared one. Without `spec.data` it does not matter. */
  readonly principal: string | null;
};

export type ContainerSpecOptions = {
  readonly engine: Pick<Engine, 'images' | 'volumes'>;
  readonly owner: string;
  readonly epoch: string;
  readonly channels: Pick<ChannelMaker, 'mountOf'>;
};

/**
 * What the container of a replica is made of. Its volume, where it has one, is there afterwards.
 * @param directory of its channel; null where it is attached to
 * @throws EngineError
 */
export async function containerSpec(
  request: ContainerRequest,
  directory: string | null,
  options: ContainerSpecOptions,
): Promise<ContainerSpec> {
  const { spec, image, replicaId, generation } = request;
  const { owner, epoch, channels } = options;
  const labels = { owner, epoch, server: spec.name, replica: replicaId, generation, directory };
  return {
    // The suffix: the predecessor's container may still be on its way out.
    name: `${owner}-${replicaId}-${shortId()}`,
    image: image.tag,
    command: image.command,
    args: spec.args,
    env: spec.env,
    labels: containerLabels(labels),
    limits: { ...spec.resources, nofile: NOFILE },
    network: spec.network,
    runtime: spec.runtime,
    volume: await volumeOf(request, options),
    bridge: channels.mountOf(directory),
  };
}

async function volumeOf(
  { spec, image, principal }: ContainerRequest,
  { engine, owner }: ContainerSpecOptions,
): Promise<ContainerSpec['volume']> {
  if (spec.data === null) return null;
  const name = volumeName(owner, spec.name, principal);
  const { uid } = await engine.images.runsAs(image.tag);
  await engine.volumes.ensure(name, volumeLabels(owner, spec.name), uid);
  return { name, path: spec.data };
}
