import {
  type Attachment,
  type ContainerFacts,
  type ContainerSpec,
  type ContainerStats,
  type Engine,
  EngineError,
  type EngineEvent,
  type EngineInfo,
  type VolumeStore,
} from '../../orchestrator/engine/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { FakeContainer } from './fake-container.ts';
import { FakeImages } from './fake-images.ts';
import type { FakeProgram } from './fake-process.ts';

export type { FakeProcess, FakeProgram } from './fake-process.ts';

export type FakeEngineOptions = {
  /** What runs in a container, by image. */
  readonly programs?: Readonly<Record<string, FakeProgram>>;
  /** Runs in images that were built or imported and have no program of their own. */
  readonly fallback?: FakeProgram;
};

/**
 * The engine in memory. A container's process is a function (see `FakeProgram`); the fields below script
 * what goes wrong. It passes the same contract as the Docker adapter.
 */
export class FakeEngine implements Engine {
  /** While set, `create` throws it. */
  failCreate: Error | null = null;
  /** While set, `start` throws it. */
  failStart: Error | null = null;
  /** False: containers are made but their limits are not applied. */
  limitsApplied = true;
  ignoredLimits: readonly string[] = [];
  readonly images: FakeImages;
  readonly volumes: VolumeStore;
  /** Every container that was ever asked for, in order. */
  readonly created: ContainerSpec[] = [];
  readonly #containers = new Map<string, FakeContainer>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #oomKills = new Map<string, number>();
  #down = false;

  constructor(options: FakeEngineOptions = {}) {
    const silent: FakeProgram = (io) => io.onEnd(() => io.exit(0));
    this.images = new FakeImages(() => this.#check(), options.programs ?? {}, options.fallback ?? silent);
    this.volumes = fakeVolumes(() => this.#check());
  }

  /** The engine stops answering: attachments break, and requests reject until `comeBack`. */
  goDown(): void {
    this.#down = true;
    for (const container of this.#containers.values()) container.disconnect(new Error('connection reset'));
  }

  comeBack(): void {
    this.#down = false;
  }

  /** The process of a running container, to make it exit, run out of memory or print. */
  process(containerId: string) {
    const process = this.#find(containerId).process;
    if (process === null) throw new Error('the container has not been started');
    return process;
  }

  /** The bridge of a container looks for its owner no more. */
  mute(containerId: string): void {
    this.#find(containerId).mute();
  }

  async ping(): Promise<void> {
    this.#check();
  }

  async info(): Promise<EngineInfo> {
    this.#check();
    const { ignoredLimits } = this;
    return { version: '26.1.0', apiVersion: '1.44', ignoredLimits, memoryBytes: 8 * 2 ** 30, cpus: 2 };
  }

  async create(spec: ContainerSpec): Promise<string> {
    this.#check();
    this.created.push(spec);
    if (this.failCreate !== null) throw this.failCreate;
    const program = this.images.program(spec.image);
    const { user } = await this.images.runsAs(spec.image);
    const taken = [...this.#containers.values()].some((other) => other.facts().name === spec.name);
    if (taken) throw new EngineError('conflict', `The name ${spec.name} is taken.`);
    const { limitsApplied } = this;
    const container = new FakeContainer({ spec, user, program, limitsApplied, tell: (e) => this.#tell(e) });
    this.#containers.set(container.id, container);
    return container.id;
  }

  async attach(containerId: string): Promise<Attachment> {
    return this.#find(containerId).attach();
  }

  async start(containerId: string): Promise<void> {
    const container = this.#find(containerId);
    if (this.failStart !== null) throw this.failStart;
    container.start();
  }

  async stop(containerId: string, graceMs: number): Promise<void> {
    this.#check();
    await this.#containers.get(containerId)?.stop(graceMs);
  }

  async kill(containerId: string): Promise<void> {
    await this.#find(containerId).kill();
  }

  async pause(containerId: string): Promise<void> {
    this.#find(containerId).pause();
  }

  async resume(containerId: string): Promise<void> {
    this.#find(containerId).resume();
  }

  async remove(containerId: string): Promise<void> {
    this.#check();
    const container = this.#containers.get(containerId);
    if (container === undefined) return;
    await container.kill();
    if (this.#containers.delete(containerId)) this.#tell({ type: 'destroy', containerId });
  }

  async inspect(containerId: string): Promise<ContainerFacts | null> {
    this.#check();
    return this.#containers.get(containerId)?.facts() ?? null;
  }

  async list(owner: string): Promise<readonly ContainerFacts[]> {
    this.#check();
    return [...this.#containers.values()].filter((one) => one.owner === owner).map((one) => one.facts());
  }

  async stats(containerId: string): Promise<ContainerStats> {
    const container = this.#find(containerId);
    const { memoryBytes, pids } = container.facts().limits;
    const { running } = container;
    return {
      cpuPercent: 0,
      memoryBytes: running ? 2 ** 20 : 0,
      memoryLimitBytes: memoryBytes,
      pids: running ? 1 : 0,
      pidsLimit: pids,
      oomKills: this.#oomKills.get(containerId) ?? 0,
    };
  }

  events(listener: (event: EngineEvent) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  #tell(event: EngineEvent): void {
    const { type, containerId } = event;
    if (type === 'oom') this.#oomKills.set(containerId, (this.#oomKills.get(containerId) ?? 0) + 1);
    for (const listener of this.#listeners) listener(event);
  }

  #find(containerId: string): FakeContainer {
    this.#check();
    const container = this.#containers.get(containerId);
    if (container === undefined) throw new EngineError('not_found', 'There is no such container.');
    return container;
  }

  #check(): void {
    if (this.#down) throw new GantryError('engine_unavailable', 'The container engine does not answer.');
  }
}

function fakeVolumes(check: () => void): VolumeStore {
  const volumes = new Map<string, Readonly<Record<string, string>>>();
  return {
    async ensure(name, labels) {
      check();
      const isNew = !volumes.has(name);
      if (isNew) volumes.set(name, labels);
      return isNew;
    },
    async list(owner) {
      check();
      const all = [...volumes].map(([name, labels]) => ({ name, labels }));
      return all.filter(({ labels }) => labels['gantry.owner'] === owner);
    },
    async remove(name) {
      check();
      volumes.delete(name);
    },
  };
}
