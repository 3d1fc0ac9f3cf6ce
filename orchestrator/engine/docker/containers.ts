import type Docker from 'dockerode';
import type { ContainerFacts, ContainerSpec } from '../engine.ts';
import { EngineError } from '../engine.ts';
import { type DockerConnection, QUICK_MS, SLOW_MS } from './connection.ts';
import { createBody, createOptions } from './create-body.ts';
import { dockerMessage, statusOf, unlessStatus } from './errors.ts';
import { containerFacts } from './facts.ts';
import { isHelper } from './helpers.ts';
import type { DockerImages } from './images.ts';
import type { OomLog } from './oom-log.ts';
import { ownedBy } from './owner.ts';

/** Inspections at a time when listing: enough to be quick, few enough to leave the daemon free. */
const LIST_WIDTH = 8;

/** The verbs on single containers. */
export class DockerContainers {
  readonly #connection: DockerConnection;
  readonly #images: DockerImages;
  readonly #ooms: OomLog;

  constructor(connection: DockerConnection, images: DockerImages, ooms: OomLog) {
    this.#connection = connection;
    this.#images = images;
    this.#ooms = ooms;
  }

  async create(spec: ContainerSpec): Promise<string> {
    const { image, user } = await this.#images.defaults(spec.image);
    const body = createBody(spec, image, user);
    try {
      const container = await this.#connection.request('image', SLOW_MS, (docker, abortSignal) =>
        docker.createContainer(createOptions(spec.name, body, abortSignal)),
      );
      return container.id;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'not_found') {
        throw new EngineError('image_missing', `The image ${spec.image} is not there.`, { cause: error });
      }
      if (error instanceof EngineError && error.code === 'conflict') {
        throw new EngineError('conflict', `The name ${spec.name} is taken.`, { cause: error });
      }
      throw refusal(error);
    }
  }

  async start(id: string): Promise<void> {
    const started = this.#on(id, SLOW_MS, (container, abortSignal) => container.start({ abortSignal }));
    await unlessStatus(started, 304).catch((error: unknown) => {
      throw refusal(error);
    });
  }

  /** Not Docker's own stop: that counts in whole seconds, and goes on when its request is given up. */
  async stop(id: string, graceMs: number): Promise<void> {
    if (graceMs > 0) {
      await this.#signal(id, 'SIGTERM');
      if (await this.#ends(id, graceMs)) return;
    }
    await this.#signal(id, 'SIGKILL');
    if (await this.#ends(id, SLOW_MS)) return;
    throw new EngineError('conflict', 'The container did not end although it was killed.');
  }

  async kill(id: string): Promise<void> {
    const killed = this.#on(id, SLOW_MS, (container, abortSignal) =>
      container.kill({ signal: 'SIGKILL', abortSignal }),
    );
    // 409: it is not running, so there is nothing left to kill.
    await unlessStatus(killed, 409);
  }

  async pause(id: string): Promise<void> {
    await this.#on(id, SLOW_MS, (container, abortSignal) => container.pause({ abortSignal }));
  }

  async resume(id: string): Promise<void> {
    await this.#on(id, SLOW_MS, (container, abortSignal) => container.unpause({ abortSignal }));
  }

  async remove(id: string): Promise<void> {
    const removed = this.#on(id, SLOW_MS, (container, abortSignal) =>
      container.remove({ force: true, v: true, abortSignal }),
    );
    const answer = await unlessStatus(
      removed.then(() => 'removed'),
      404,
      409,
    );
    if (answer === undefined) await this.#gone(id);
    this.#ooms.forget(id);
  }

  async inspect(id: string): Promise<ContainerFacts | null> {
    const inspected = this.#on(id, QUICK_MS, (container, abortSignal) => container.inspect({ abortSignal }));
    const info = await unlessStatus(inspected, 404);
    return info === undefined ? null : containerFacts(info, this.#ooms.count(info.Id) > 0);
  }

  async list(owner: string): Promise<readonly ContainerFacts[]> {
    const filters = ownedBy(owner);
    const all = await this.#connection.request('container', QUICK_MS, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    const listed = all.filter(({ Labels }) => !isHelper(Labels));
    const found: (ContainerFacts | null)[] = [];
    for (let start = 0; start < listed.length; start += LIST_WIDTH) {
      const part = listed.slice(start, start + LIST_WIDTH);
      found.push(...(await Promise.all(part.map(({ Id }) => this.inspect(Id)))));
    }
    return found.filter((facts) => facts !== null);
  }

  /** 404 and 409: it is down already, which is what stopping is for. */
  async #signal(id: string, signal: string): Promise<void> {
    const sent = this.#on(id, SLOW_MS, (container, abortSignal) => container.kill({ signal, abortSignal }));
    await unlessStatus(sent, 404, 409);
  }

  /** True once the container is down, false when it still runs after `withinMs`. */
  async #ends(id: string, withinMs: number): Promise<boolean> {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), withinMs);
    try {
      const ended = this.#on(id, SLOW_MS + withinMs, (container) =>
        container.wait({ condition: 'not-running', abortSignal: control.signal }),
      );
      await unlessStatus(ended, 404);
      return true;
    } catch (error) {
      if (control.signal.aborted) return false;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Somebody else's removal is under way: wait for it. */
  async #gone(id: string): Promise<void> {
    const gone = this.#on(id, SLOW_MS, (container, abortSignal) =>
      container.wait({ condition: 'removed', abortSignal }),
    );
    await unlessStatus(gone, 404);
  }

  #on<T>(
    id: string,
    timeoutMs: number,
    run: (container: Docker.Container, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#connection.request('container', timeoutMs, (docker, signal) =>
      run(docker.getContainer(id), signal),
    );
  }
}

/** An answer of the daemon about creating or starting, 5xx included, is about what it was asked to run. */
function refusal(error: unknown): unknown {
  if (error instanceof EngineError && error.code !== 'bad_spec') return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (statusOf(cause) === null) return error;
  const said = dockerMessage(cause);
  const why = /exec: "[^"]*": [^:]+/.exec(said)?.[0] ?? said.split('\n')[0] ?? said;
  return new EngineError('bad_spec', `The engine could not run this container: ${why}`, { cause });
}
