import { randomBytes } from 'node:crypto';
import { classifyExit } from '../../orchestrator/engine/docker/facts.ts';
import type {
  Attachment,
  ContainerExit,
  ContainerFacts,
  ContainerSpec,
  EngineEvent,
} from '../../orchestrator/engine/index.ts';
import { BRIDGE_PATH, EngineError } from '../../orchestrator/engine/index.ts';
import { FakeAttachment } from './fake-attachment.ts';
import { FakeBridge } from './fake-bridge.ts';
import { imageIdOf } from './fake-images.ts';
import { type FakeExit, FakeProcess, type FakeProgram } from './fake-process.ts';

type Options = {
  readonly spec: ContainerSpec;
  readonly user: string;
  readonly program: FakeProgram;
  /** False for an engine that silently ignores limits. */
  readonly limitsApplied: boolean;
  readonly tell: (event: EngineEvent) => void;
};

/** One container of the fake engine. */
export class FakeContainer {
  readonly id = randomBytes(32).toString('hex');
  readonly #options: Options;
  readonly #attachments = new Set<FakeAttachment>();
  #down = Promise.withResolvers<void>();
  #state: ContainerFacts['state'] = 'created';
  #startedAt: string | null = null;
  #exit: ContainerExit | null = null;
  #process: FakeProcess | null = null;
  #bridge: FakeBridge | null = null;
  /** Stdin that was sent before the start. */
  #input: (() => void)[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  get process(): FakeProcess | null {
    return this.#process;
  }

  get running(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  get owner(): string | undefined {
    return this.#options.spec.labels['gantry.owner'];
  }

  attach(): Attachment {
    if (this.#state === 'paused') throw conflict();
    const attachment = new FakeAttachment(
      (bytes) => this.#feed(() => this.#process?.receive(bytes)),
      () => this.#feed(() => this.#process?.receiveEnd()),
    );
    this.#attachments.add(attachment);
    return attachment;
  }

  start(): void {
    if (this.#state === 'running') return;
    if (this.#state === 'paused') throw conflict();
    this.#down = Promise.withResolvers<void>();
    this.#exit = null;
    const { spec, program } = this.#options;
    this.#state = 'running';
    this.#startedAt = new Date().toISOString();
    if (spec.bridge !== null) {
      this.#bridge = new FakeBridge({
        ...spec.bridge,
        program: (io) => {
          this.#process = io;
          program(io);
        },
        onExit: (exit) => this.#ended(exit),
      });
      return;
    }
    this.#process = new FakeProcess({
      args: spec.args,
      env: spec.env,
      onOutput: (kind, bytes) => {
        for (const attachment of this.#attachments) attachment.deliver(kind, bytes);
      },
      onOutputEnd: () => {}, // the engine's init keeps them open
      onExit: (exit) => this.#ended(exit),
    });
    program(this.#process);
    for (const task of this.#input) task();
    this.#input = [];
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.running) return;
    this.resumeQuietly();
    if (graceMs > 0) this.#process?.signal('SIGTERM');
    // As in the engine, whose time is real to whoever asks it.
    const timer = setTimeout(() => this.#process?.signal('SIGKILL'), graceMs);
    await this.#down.promise;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    this.#bridge?.die();
    if (this.#process === null) this.#ended({ code: 137, outOfMemory: false }); // no process yet behind its bridge
    this.#process?.signal('SIGKILL');
    await this.#down.promise;
  }

  mute(): void {
    this.#bridge?.die();
  }

  pause(): void {
    if (this.#state !== 'running') throw conflict();
    this.#state = 'paused';
    this.#process?.pause();
  }

  resume(): void {
    if (this.#state !== 'paused') throw conflict();
    this.resumeQuietly();
  }

  resumeQuietly(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#process?.resume();
  }

  /** The connection to the engine broke: every attachment with it, and stdin ends for the process. */
  disconnect(error: Error): void {
    for (const attachment of this.#attachments) attachment.close(error);
    this.#attachments.clear();
    this.#process?.receiveEnd();
  }

  facts(): ContainerFacts {
    const { spec, user, limitsApplied } = this.#options;
    const { memoryBytes, cpus, pids, nofile } = spec.limits;
    const applied = { memoryBytes, memorySwapBytes: memoryBytes, cpus, pids, nofile };
    const ignored = { memoryBytes: 0, memorySwapBytes: -1, cpus: 0, pids: 0, nofile };
    return {
      id: this.id,
      name: spec.name,
      image: spec.image,
      imageId: imageIdOf(spec.image),
      labels: spec.labels,
      state: this.#state,
      startedAt: this.#startedAt,
      exit: this.#exit,
      limits: limitsApplied ? applied : ignored,
      isolation: {
        network: spec.network === 'none' ? 'none' : 'gantry-internet',
        readOnlyRoot: true,
        user,
        capAdd: [],
        capDrop: ['ALL'],
        noNewPrivileges: true,
        logDriver: 'none',
        ipcMode: 'private',
        cgroupnsMode: 'private',
        init: spec.bridge === null,
        runtime: spec.runtime,
        privileged: false,
        binds: spec.bridge === null ? [] : [`${spec.bridge.directory}:${BRIDGE_PATH}:ro`],
        seccomp: null,
      },
    };
  }

  #feed(task: () => void): void {
    if (this.#process === null) this.#input.push(task);
    else task();
  }

  #ended({ code, outOfMemory }: FakeExit): void {
    this.#state = 'exited';
    this.#exit = classifyExit(code, outOfMemory, new Date().toISOString());
    for (const attachment of this.#attachments) attachment.close(null);
    this.#attachments.clear();
    if (outOfMemory) this.#options.tell({ type: 'oom', containerId: this.id });
    this.#options.tell({ type: 'die', containerId: this.id });
    this.#down.resolve();
  }
}

function conflict(): EngineError {
  return new EngineError('conflict', 'The state of the container does not allow this.');
}
