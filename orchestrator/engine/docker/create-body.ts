import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import { BRIDGE_PATH, type ContainerSpec } from '../engine.ts';
import { INTERNET_NETWORK } from './networks.ts';

/** What the image brings that decides how its container is made. */
export type ImageDefaults = {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Paths the image declares as VOLUME. */
  readonly volumes: readonly string[];
};

/** The only writable place: enough for temporary files, and it counts toward the memory limit. */
const TMPFS_BYTES = 64 * 1024 * 1024;
const TMPFS_OPTIONS = 'rw,noexec,nosuid,nodev,size=64m,mode=1777';
/** When the machine runs out of memory the kernel should end replicas before the engine itself. */
const OOM_SCORE_ADJ = 500;

/** The create request: isolation is not a choice of the spec, every container gets all of it. */
export function createBody(spec: ContainerSpec, image: ImageDefaults, user: string): ContainerCreateOptions {
  return {
    Image: spec.image,
    ...command(spec, image),
    User: user,
    Env: Object.entries(environment(spec)).map(([key, value]) => `${key}=${value}`),
    Labels: { ...spec.labels },
    Tty: false,
    ...(spec.bridge === null ? ATTACHED : {}),
    HostConfig: hostConfig(spec, image),
  };
}

/**
 * StdinOnce: a half-close reaches the process as end of input, which is MCP's polite shutdown. The price: a dropped
 * connection does too, so a drop means that the replica is lost.
 */
const ATTACHED = {
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
};

function environment({ env, bridge }: ContainerSpec): Record<string, string> {
  const secret = bridge === null ? {} : { GANTRY_CHANNEL_SECRET: bridge.secret.toString('hex') };
  return { TMPDIR: '/tmp', HOME: '/tmp', ...env, ...secret };
}

function hostConfig(spec: ContainerSpec, image: ImageDefaults): HostConfig {
  const { memoryBytes, cpus, pids, nofile } = spec.limits;
  return {
    Memory: memoryBytes,
    // Equal to Memory: no swap beyond it.
    MemorySwap: memoryBytes,
    // On cgroup v1 pages could still be swapped within the limit; v2 has no such knob and ignores it.
    MemorySwappiness: 0,
    NanoCpus: Math.round(cpus * 1e9),
    PidsLimit: pids,
    Ulimits: [
      { Name: 'nofile', Soft: nofile, Hard: nofile },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    OomScoreAdj: OOM_SCORE_ADJ,
    CapDrop: ['ALL'],
    Privileged: false,
    SecurityOpt: ['no-new-privileges:true'],
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': TMPFS_OPTIONS },
    Mounts: mounts(spec, image),
    NetworkMode: spec.network === 'none' ? 'none' : INTERNET_NETWORK,
    IpcMode: 'private',
    CgroupnsMode: 'private',
    // The bridge reaps by itself, and proves itself only as the first process.
    Init: spec.bridge === null,
    Runtime: spec.runtime,
    // Stdout is protocol and may hold secrets: it is never written to disk.
    LogConfig: { Type: 'none', Config: {} },
    // A restart by the daemon would run with nobody attached.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
  } as HostConfig;
}

/** The named volume, the bridge's directory, and a bounded tmpfs over each VOLUME of the image: Docker would make unbounded ones. */
function mounts(spec: ContainerSpec, image: ImageDefaults): MountSettings[] {
  const { volume } = spec;
  const covered = image.volumes.filter((path) => path !== volume?.path && path !== '/tmp');
  const list = covered.map((path) => ({
    Type: 'tmpfs',
    Source: '',
    Target: path,
    TmpfsOptions: { SizeBytes: TMPFS_BYTES, Mode: 0o1777 },
  }));
  const named =
    volume === null
      ? []
      : // NoCopy: else Docker gives an empty volume the owner of the image's directory of that name.
        [{ Type: 'volume', Source: volume.name, Target: volume.path, VolumeOptions: { NoCopy: true } }];
  return [...list, ...named, ...bridgeMount(spec)] as unknown as MountSettings[];
}

/** Read-only: what a container could write there would count against nobody's limit. */
function bridgeMount({ bridge }: ContainerSpec): object[] {
  if (bridge === null) return [];
  const BindOptions = { Propagation: 'rprivate' };
  return [{ Type: 'bind', Source: bridge.directory, Target: BRIDGE_PATH, ReadOnly: true, BindOptions }];
}

/** Arguments follow the image's entrypoint; where it has none, its command. A command of ours replaces both. */
function command(spec: ContainerSpec, image: ImageDefaults): Partial<ContainerCreateOptions> {
  if (spec.bridge !== null) return { Entrypoint: [BRIDGE, '--', ...program(spec, image)], Cmd: [] };
  if (spec.command !== null) return { Entrypoint: [...spec.command], Cmd: [...spec.args] };
  if (spec.args.length === 0) return {};
  return { Cmd: image.entrypoint.length > 0 ? [...spec.args] : [...image.command, ...spec.args] };
}

/** The same as one list. */
function program({ command, args }: ContainerSpec, image: ImageDefaults): readonly string[] {
  if (command !== null) return [...command, ...args];
  const isDefault = args.length === 0 || image.entrypoint.length === 0;
  return [...image.entrypoint, ...(isDefault ? image.command : []), ...args];
}

/** The bridge in images that are built on the bridge image (bridge-image/init). */
const BRIDGE = '/opt/gantry/gantry-init';

/** dockerode would put the whole request, secrets of the environment included, into the URL as well. */
export function createOptions(
  name: string | null,
  body: ContainerCreateOptions,
  abortSignal: AbortSignal,
): ContainerCreateOptions {
  return {
    _query: name === null ? {} : { name },
    _body: body,
    abortSignal,
  } as unknown as ContainerCreateOptions;
}
