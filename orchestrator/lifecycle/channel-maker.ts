import type { BridgeMount, ContainerFacts, Engine } from '../engine/index.ts';
import { type Clock, type Facts, messageOf, type ServerSpec } from '../kernel/index.ts';
import {
  attachChannel,
  type Channel,
  type ChannelDirectories,
  SocketChannel,
  type SocketChannelOptions,
} from '../replica/index.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { DIRECTORY_LABEL } from './labels.ts';

/** What socket channels need that attach channels do not. */
export type SocketChannels = {
  readonly directories: ChannelDirectories;
  /** How long replicas wait for the next owner. */
  readonly leaseMs: number;
};

export type ChannelMakerOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly maxLineBytes: number;
  readonly sockets: SocketChannels | null;
};

export type Resume = Pick<SocketChannelOptions, 'resumeFrom' | 'acknowledge'>;

/** Decides which channel a container has, and opens it. What was decided stands in its labels, so it can be opened again. */
export class ChannelMaker {
  readonly #options: ChannelMakerOptions;
  /** Names of directories that this process has made and not removed. */
  readonly #made = new Set<string>();

  constructor(options: ChannelMakerOptions) {
    this.#options = options;
  }

  /** The directory of a new container with a socket channel, made; null for one that is attached to. */
  async newDirectory(spec: ServerSpec, image: PreparedImage): Promise<string | null> {
    const { sockets } = this.#options;
    if (sockets === null || !image.hasBridge || spec.channel === 'attach') return null;
    const name = sockets.directories.newName();
    this.#made.add(name);
    await sockets.directories.make(name);
    return name;
  }

  mountOf(directory: string | null): BridgeMount | null {
    const { sockets } = this.#options;
    if (sockets === null || directory === null) return null;
    const { directories } = sockets;
    return { directory: directories.enginePathOf(directory), secret: directories.secretOf(directory) };
  }

  /** Before the container is started. @throws EngineError, GantryError engine_unavailable, a plain file system error */
  async open(facts: ContainerFacts, resume: Resume = {}): Promise<Channel> {
    const { engine, clock, maxLineBytes, sockets } = this.#options;
    const name = facts.labels[DIRECTORY_LABEL];
    if (sockets === null || name === undefined) {
      return attachChannel({ attachment: await engine.attach(facts.id), clock, maxLineBytes });
    }
    const { directories, leaseMs } = sockets;
    const directory = directories.pathOf(name);
    const secret = directories.secretOf(name);
    return await SocketChannel.open({ directory, secret, clock, maxLineBytes, leaseMs, ...resume });
  }

  /** A container with these labels is gone: nobody looks into its directory any more. */
  forget(labels: ContainerFacts['labels']): void {
    const name = labels[DIRECTORY_LABEL];
    if (name === undefined) return;
    this.#made.delete(name);
    this.#options.sockets?.directories.remove(name).catch((error: unknown) => this.#trouble(error));
  }

  /** Removes what earlier processes left behind. @param listed what the engine has. Never rejects. */
  async sweep(listed: readonly ContainerFacts[]): Promise<void> {
    const inUse = listed.flatMap(({ labels }) => labels[DIRECTORY_LABEL] ?? []);
    const keep = new Set([...this.#made, ...inUse]);
    await this.#options.sockets?.directories.sweep(keep).catch((error: unknown) => this.#trouble(error));
  }

  #trouble(error: unknown): void {
    this.#options.facts.state({ type: 'trouble', where: 'channel directories', message: messageOf(error) });
  }
}
