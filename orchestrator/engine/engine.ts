/**
 * The engine in our own words: where containers run. `docker-engine` is the adapter for the Docker-in-Docker
 * engine; `test/fakes/fake-engine.ts` is the scriptable twin. One contract suite runs against both
 * (`test/contracts/engine.ts`).
 *
 * Every method rejects with `GantryError('engine_unavailable')` when the daemon does not answer.
 */
export type Engine = {
  /** @throws GantryError engine_unavailable */
  ping(): Promise<void>;
  /** What the engine can enforce. The orchestrator refuses to start when a limit would be ignored. */
  info(): Promise<EngineInfo>;
  /** Creates a container, without starting it. @throws EngineError image_missing | bad_spec | conflict (the name is taken) */
  create(spec: ContainerSpec): Promise<string>;
  /**
   * Opens the container's stdio. Always before `start`: output written while detached is lost. If the
   * container is removed without having been started, destroy the attachment: no end will come.
   * @throws EngineError not_found; conflict while it is paused
   */
  attach(containerId: string): Promise<Attachment>;
  start(containerId: string): Promise<void>;
  /** TERM, then KILL after `graceMs`. Resolves when the container is down; fine if it already is. */
  stop(containerId: string, graceMs: number): Promise<void>;
  kill(containerId: string): Promise<void>;
  pause(containerId: string): Promise<void>;
  resume(containerId: string): Promise<void>;
  /** Removes the container, running or not; fine if it is gone. */
  remove(containerId: string): Promise<void>;
  /** Null when there is no such container. */
  inspect(containerId: string): Promise<ContainerFacts | null>;
  /** All containers carrying the label `gantry.owner=<owner>`, running or not; not those the engine makes for itself. */
  list(owner: string): Promise<readonly ContainerFacts[]>;
  stats(containerId: string): Promise<ContainerStats>;
  /**
   * Calls `listener` for every die, oom and destroy event until `close()`; reconnects by itself without gaps.
   * After a reconnect an event may be told twice.
   */
  events(listener: (event: EngineEvent) => void): { close(): void };
  images: ImageStore;
  volumes: VolumeStore;
};

export type EngineInfo = {
  readonly version: string;
  readonly apiVersion: string;
  /** Names of limits the engine says it would ignore: `memory`, `swap`, `cpus`, `pids`. */
  readonly ignoredLimits: readonly string[];
  readonly memoryBytes: number;
  readonly cpus: number;
};

export type ContainerSpec = {
  readonly name: string;
  readonly image: string;
  /** Null keeps the image's own command. */
  readonly command: readonly string[] | null;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: {
    readonly memoryBytes: number;
    readonly cpus: number;
    readonly pids: number;
    readonly nofile: number;
  };
  readonly network: 'none' | 'internet';
  readonly runtime: 'runc' | 'runsc';
  /** A named volume and where it appears, or null. */
  readonly volume: { readonly name: string; readonly path: string } | null;
  /**
   * The bridge of the image is the first process and runs the program; null leaves that to the engine's own init, with
   * stdio to attach to.
   */
  readonly bridge: BridgeMount | null;
};

export type BridgeMount = {
  /** Where the replica finds the socket it connects to: a path as the engine sees it. Mounted read-only. */
  readonly directory: string;
  /** What the bridge proves itself with. Nothing else in the container can read it. */
  readonly secret: Buffer;
};

/** Where `BridgeMount.directory` is in a container. */
export const BRIDGE_PATH = '/run/gantry';
/** The label of images that have the bridge, and the protocol it speaks as its value. */
export const BRIDGE_LABEL = 'gantry.bridge';
export const BRIDGE_PROTOCOL = '1';

/** What the daemon applied, read back from it. */
export type ContainerFacts = {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  readonly startedAt: string | null;
  readonly exit: ContainerExit | null;
  readonly limits: {
    readonly memoryBytes: number;
    readonly memorySwapBytes: number;
    readonly cpus: number;
    readonly pids: number;
    readonly nofile: number;
  };
  readonly isolation: Isolation;
};

export type Isolation = {
  readonly network: string;
  readonly readOnlyRoot: boolean;
  readonly user: string;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly logDriver: string;
  readonly ipcMode: string;
  readonly cgroupnsMode: string;
  readonly init: boolean;
  readonly privileged: boolean;
  /** Paths of the engine's host in the container, as `source:target:ro` or `:rw`: the bridge's directory, or none. */
  readonly binds: readonly string[];
  readonly runtime: string;
  /** Docker's seccomp setting; null means the default profile. */
  readonly seccomp: string | null;
};

export type ContainerExit = {
  readonly reason: 'oom' | 'signal' | 'exited' | 'killed';
  readonly code: number;
  readonly signal: string | null;
  /** ISO time. */
  readonly at: string;
};

export type ContainerStats = {
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly pids: number;
  readonly pidsLimit: number;
  readonly oomKills: number;
};

export type EngineEvent = { readonly type: 'die' | 'oom' | 'destroy'; readonly containerId: string };

/** The raw stdio of one container. Bytes, not messages: framing is the channel's business. */
export type Attachment = {
  /** Writes to stdin. Resolves when the bytes were handed to the socket and it can take more. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Nothing is read before the first listener is set; set both in one turn and no byte is missed. */
  onStdout(listener: (bytes: Buffer) => void): void;
  onStderr(listener: (bytes: Buffer) => void): void;
  /** Half-close: the process sees end of input. */
  end(): void;
  destroy(): void;
  /** Settles once, when the stream is over, after the last bytes were handed out; `error` tells a broken transport from a normal end. */
  readonly closed: Promise<{ readonly error: Error | null }>;
};

export type ImageStore = {
  has(tag: string): Promise<boolean>;
  /** The image's digest and defaults, or null. */
  inspect(tag: string): Promise<{
    readonly id: string;
    readonly user: string;
    readonly entrypoint: readonly string[];
    readonly command: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  } | null>;
  /**
   * Who a container of this image runs as: the image's own user, or 10001 where that is root or unset.
   * `uid` and `gid` are what its volume must belong to. @throws EngineError image_missing
   */
  runsAs(tag: string): Promise<{ readonly user: string; readonly uid: number; readonly gid: number }>;
  /** Imports a root file system (a tar stream) as one image. */
  import(tag: string, tar: NodeJS.ReadableStream, changes: readonly string[]): Promise<void>;
  /**
   * Builds from a tar stream with the classic builder, under limits, on the install network.
   * @throws EngineError build_failed with the last lines of output; build_timeout
   */
  build(options: BuildOptions): Promise<void>;
  /** Fetches an image from its registry. @throws EngineError image_missing */
  pull(tag: string): Promise<void>;
  /** Reads one file of an image's root file system (through a container that is never started). */
  readFile(tag: string, path: string): Promise<Buffer>;
  /** All tags of images carrying the label `gantry.owner=<owner>`. */
  list(
    owner: string,
  ): Promise<readonly { readonly tag: string; readonly labels: Readonly<Record<string, string>> }[]>;
  /** Removes an image; fine if it is gone or in use. */
  remove(tag: string): Promise<void>;
};

export type BuildOptions = {
  readonly tag: string;
  readonly context: NodeJS.ReadableStream;
  readonly labels: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly network: 'none' | 'install';
  readonly limits: { readonly memoryBytes: number; readonly cpus: number };
  readonly timeoutMs: number;
};

export type VolumeStore = {
  /** Creates a named volume owned by `uid` when missing. Says whether it was new. */
  ensure(name: string, labels: Readonly<Record<string, string>>, ownerUid: number): Promise<boolean>;
  list(
    owner: string,
  ): Promise<readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]>;
  remove(name: string): Promise<void>;
};

export type EngineErrorCode =
  | 'image_missing'
  | 'build_failed'
  | 'build_timeout'
  | 'conflict'
  | 'not_found'
  | 'bad_spec';

/** A failure of one request to the engine; the engine itself is fine. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** The last lines of what the engine printed, for builds. */
  readonly output: readonly string[];

  constructor(
    code: EngineErrorCode,
    message: string,
    options: { output?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.output = options.output ?? [];
  }
}
