import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import {
  type ContainerFacts,
  type ContainerSpec,
  type Engine,
  EngineError,
  type EngineEvent,
} from '../../orchestrator/engine/index.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import type { ProgramName } from './engine-programs.ts';

/** What a suite runs on: an engine, and for each program of the contract the image and command that run it. */
export type EngineUnderTest = {
  readonly engine: Engine;
  program(name: ProgramName): { readonly image: string; readonly command: readonly string[] | null };
};

export const MEGABYTE = 1024 * 1024;
export const LIMITS = { memoryBytes: 64 * MEGABYTE, cpus: 0.5, pids: 48, nofile: 512 };
/** The containers of one run, and of no other. */
export const OWNER = `contract-${randomBytes(4).toString('hex')}`;

/** One case's containers and the events heard meanwhile. */
export class Bench {
  static used = 0;
  readonly engine: Engine;
  readonly #subject: EngineUnderTest;
  readonly #ids: string[] = [];
  readonly #events: EngineEvent[] = [];
  readonly #subscription: { close(): void };
  #woken = Promise.withResolvers<void>();

  constructor(subject: EngineUnderTest) {
    Bench.used += 1;
    this.#subject = subject;
    this.engine = subject.engine;
    this.#subscription = this.engine.events((event) => {
      this.#events.push(event);
      this.#woken.resolve();
      this.#woken = Promise.withResolvers<void>();
    });
  }

  spec(name: ProgramName, labels: Record<string, string> = {}): ContainerSpec {
    return containerSpec({
      name: `contract-${randomBytes(6).toString('hex')}`,
      ...this.#subject.program(name),
      labels: { 'gantry.owner': OWNER, ...labels },
      limits: LIMITS,
    });
  }

  keep(id: string): string {
    this.#ids.push(id);
    return id;
  }

  async create(name: ProgramName, labels: Record<string, string> = {}): Promise<string> {
    return this.keep(await this.engine.create(this.spec(name, labels)));
  }

  async start(name: ProgramName) {
    const id = await this.create(name);
    const attachment = await this.engine.attach(id);
    const pieces: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    let woken = Promise.withResolvers<void>();
    const take = (kind: 'stdout' | 'stderr') => (bytes: Buffer) => {
      pieces[kind].push(bytes);
      woken.resolve();
      woken = Promise.withResolvers<void>();
    };
    attachment.onStdout(take('stdout'));
    attachment.onStderr(take('stderr'));
    await this.engine.start(id);
    return {
      id,
      attachment,
      stdout: () => Buffer.concat(pieces.stdout).toString('latin1'),
      stderr: () => Buffer.concat(pieces.stderr).toString('latin1'),
      async until(condition: () => boolean): Promise<void> {
        while (!condition()) await woken.promise;
      },
    };
  }

  async facts(id: string): Promise<ContainerFacts> {
    const facts = await this.engine.inspect(id);
    if (facts === null) throw new Error('the container is gone');
    return facts;
  }

  async event(type: EngineEvent['type'], id: string): Promise<void> {
    while (!this.#events.some((event) => event.type === type && event.containerId === id)) {
      await this.#woken.promise;
    }
  }

  async refused(t: ExecutionContext, promise: Promise<unknown>, code: EngineError['code']): Promise<void> {
    const error = await t.throwsAsync(promise, { instanceOf: EngineError });
    t.is(error?.code, code);
  }

  async clear(): Promise<void> {
    for (const id of this.#ids) await this.engine.remove(id);
    this.#subscription.close();
  }
}
