import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { FALLBACK_USER, runUser } from '../../orchestrator/engine/docker/run-user.ts';
import { type BuildOptions, EngineError, type ImageStore } from '../../orchestrator/engine/index.ts';
import type { FakeProgram } from './fake-process.ts';

/** The fake engine's images: a program each, and records of what was asked for. */
export class FakeImages implements ImageStore {
  /** Programs by tag. An image that was built, imported or pulled without an entry runs `fallback`. */
  readonly programs = new Map<string, FakeProgram>();
  readonly #present = new Set<string>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();
  readonly #users = new Map<string, string>();
  /** What `readFile` answers, by path. */
  readonly files = new Map<string, Buffer>();
  /** Tags a pull finds. */
  readonly registry = new Set<string>();
  /** Every build that was asked for. */
  readonly builds: BuildOptions[] = [];
  /** Thrown by the next builds while set. */
  failBuild: EngineError | null = null;
  /** Each fails one build, in this order; before `failBuild`. */
  readonly failNext: EngineError[] = [];
  /** What the build of a server waits for, by the server's name. */
  readonly slow = new Map<string, Promise<void>>();
  /** The text of every context: a tar archive keeps short files readable. */
  readonly contexts: string[] = [];
  fallback: FakeProgram;
  readonly #check: () => void;

  constructor(check: () => void, programs: Readonly<Record<string, FakeProgram>>, fallback: FakeProgram) {
    this.#check = check;
    this.fallback = fallback;
    for (const [tag, program] of Object.entries(programs)) this.add(tag, program);
  }

  add(tag: string, program: FakeProgram, user = FALLBACK_USER): void {
    this.programs.set(tag, program);
    this.#users.set(tag, user);
    this.#present.add(tag);
  }

  program(tag: string): FakeProgram {
    this.#require(tag);
    return this.programs.get(tag) ?? this.fallback;
  }

  async has(tag: string): Promise<boolean> {
    this.#check();
    return this.#present.has(tag);
  }

  async inspect(tag: string): ReturnType<ImageStore['inspect']> {
    this.#check();
    if (!this.#present.has(tag)) return null;
    const id = `sha256:${createHash('sha256').update(tag).digest('hex')}`;
    const labels = this.#labels.get(tag) ?? {};
    return { id, user: this.#users.get(tag) ?? '', entrypoint: [], command: ['program'], labels };
  }

  async runsAs(tag: string): ReturnType<ImageStore['runsAs']> {
    this.#require(tag);
    return runUser(this.#users.get(tag) ?? '', null);
  }

  async import(tag: string, tar: NodeJS.ReadableStream): Promise<void> {
    this.#check();
    await drain(tar);
    this.#present.add(tag);
  }

  async build(options: BuildOptions): Promise<void> {
    this.#check();
    this.builds.push(options);
    this.contexts.push(await textOf(options.context));
    await this.slow.get(options.labels['gantry.server'] ?? '');
    const failure = this.failNext.shift();
    if (failure !== undefined) throw failure;
    if (this.failBuild !== null) throw this.failBuild;
    this.#present.add(options.tag);
    this.#labels.set(options.tag, options.labels);
  }

  async pull(tag: string): Promise<void> {
    this.#check();
    if (!this.registry.has(tag)) {
      throw new EngineError('image_missing', `The image ${tag} could not be fetched.`);
    }
    this.#present.add(tag);
  }

  async readFile(tag: string, path: string): Promise<Buffer> {
    this.#require(tag);
    const file = this.files.get(path);
    if (file === undefined) throw new EngineError('not_found', 'There is no such file.');
    return file;
  }

  async list(owner: string): ReturnType<ImageStore['list']> {
    this.#check();
    const all = [...this.#present].map((tag) => ({ tag, labels: this.#labels.get(tag) ?? {} }));
    return all.filter(({ labels }) => labels['gantry.owner'] === owner);
  }

  async remove(tag: string): Promise<void> {
    this.#check();
    this.#present.delete(tag);
  }

  #require(tag: string): void {
    this.#check();
    if (!this.#present.has(tag)) throw new EngineError('image_missing', `The image ${tag} is not there.`);
  }
}

async function drain(stream: NodeJS.ReadableStream): Promise<void> {
  for await (const _ of stream as Readable) {
    // The bytes do not matter; a context that breaks must reject.
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream as Readable) text += String(chunk);
  return text;
}
