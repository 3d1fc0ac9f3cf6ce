import { type Engine, EngineError } from '../engine/index.ts';
import { type ContainerStatsView, type ContainerView, GantryError, type LogLine } from '../kernel/index.ts';
import { containerView } from './container-view.ts';
import { followLog } from './log-lines.ts';
import type { Running } from './running.ts';
import type { ServerPool } from './server-pool.ts';
import type { Slot } from './slot.ts';

export type ContainerVerb = 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'resume';

/** Docker's own short ids have 12 characters; fewer would invite mistakes. */
const MIN_PREFIX = 12;
const LOG_LINES = 200;

/** A container and who holds it; `slot` is null for a session's. */
type Held = { readonly running: Running; readonly pool: ServerPool; readonly slot: Slot | null };

export type ContainersOptions = {
  readonly engine: Engine;
  readonly owner: string;
  readonly pools: () => readonly ServerPool[];
};

/** The containers as users see and steer them. Only those that are held: strays are the reconciler's. */
export class Containers {
  readonly #options: ContainersOptions;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  /** @throws GantryError engine_unavailable */
  async list(): Promise<readonly ContainerView[]> {
    const listed = new Map(
      (await this.#options.engine.list(this.#options.owner)).map((facts) => [facts.id, facts]),
    );
    return this.#held().flatMap((held) => {
      const facts = listed.get(held.running.containerId);
      return facts === undefined ? [] : [containerView(held.running, facts, held.slot)];
    });
  }

  /** @throws GantryError container_not_found, engine_unavailable */
  async get(idOrPrefix: string): Promise<ContainerView> {
    return await this.#view(this.#find(idOrPrefix));
  }

  /**
   * Resolves when it is done: a stop with the process gone, a kill likewise. The answer shows the container
   * afterwards, or as it was last where the verb removed it.
   * @throws GantryError container_not_found, invalid_state, engine_unavailable
   */
  async act(idOrPrefix: string, verb: ContainerVerb): Promise<ContainerView> {
    const held = this.#find(idOrPrefix);
    requirePossible(held, verb);
    try {
      await perform(held, verb);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw invalidState(
        `The container could not be told to ${verb}: its state has just changed.`,
        held,
        error,
      );
    }
    return await this.#view(held);
  }

  /** @throws GantryError container_not_found, invalid_state, engine_unavailable */
  async stats(idOrPrefix: string): Promise<ContainerStatsView> {
    const held = this.#find(idOrPrefix);
    if (isOver(held.running)) throw invalidState('The container is not running, so it uses nothing.', held);
    try {
      return await this.#options.engine.stats(held.running.containerId);
    } catch (error) {
      if (!(error instanceof EngineError && error.code === 'not_found')) throw error;
      throw notFound(idOrPrefix, error);
    }
  }

  /** @throws GantryError container_not_found */
  async logs(idOrPrefix: string): Promise<{
    readonly lines: readonly LogLine[];
    follow(signal: AbortSignal): AsyncIterable<LogLine>;
  }> {
    const { replica } = this.#find(idOrPrefix).running;
    return {
      lines: replica.channel.stderr.last(LOG_LINES),
      follow: (signal) => followLog(replica, signal),
    };
  }

  async #view(held: Held): Promise<ContainerView> {
    const facts = await this.#options.engine.inspect(held.running.containerId);
    return containerView(held.running, facts ?? held.running.facts, held.slot);
  }

  #held(): readonly Held[] {
    // A connection to a server elsewhere is no container.
    return this.#all().filter(({ running }) => running.replica.channel.kind !== 'http');
  }

  #all(): readonly Held[] {
    return this.#options
      .pools()
      .flatMap((pool) => [
        ...pool.slots.flatMap((slot) =>
          slot.running === null ? [] : [{ running: slot.running, pool, slot }],
        ),
        ...[...pool.spares.all, ...pool.sessions].map((running) => ({ running, pool, slot: null })),
      ]);
  }

  #find(idOrPrefix: string): Held {
    const found =
      idOrPrefix.length < MIN_PREFIX
        ? []
        : this.#held().filter((held) => held.running.containerId.startsWith(idOrPrefix));
    const [only, another] = found;
    if (only !== undefined && another === undefined) return only;
    throw notFound(idOrPrefix);
  }
}

async function perform({ running, pool, slot }: Held, verb: ContainerVerb): Promise<void> {
  const { drainMs } = pool.spec.timeouts;
  switch (verb) {
    case 'pause':
      return await running.pause();
    case 'resume':
      return await running.resume();
    case 'kill':
      return await running.kill();
    case 'stop':
      return slot === null
        ? await pool.release(running.replica, 'stopped on request')
        : await slot.tell('stop', drainMs);
    case 'start':
    case 'restart':
      return await slot?.tell(verb, drainMs);
  }
}

/** @throws GantryError invalid_state */
function requirePossible(held: Held, verb: ContainerVerb): void {
  const { running, slot } = held;
  const state = running.replica.state.name;
  const refuse = (why: string): never => {
    throw invalidState(`The container cannot ${verb}: ${why}.`, held);
  };
  if (verb === 'start') {
    if (slot?.phase.name !== 'held') refuse(`it is ${state}, only a stopped one can`);
    return;
  }
  if (verb === 'restart') {
    if (slot === null) refuse('it belongs to a session, which lives in its process; end the session instead');
    if (slot?.phase.name === 'held') return;
  }
  if (isOver(running)) refuse(`it is ${state}`);
  if (verb === 'resume' && state !== 'paused') refuse(`it is ${state}, not paused`);
  if (verb === 'pause' && state !== 'ready') refuse(`it is ${state}, not ready`);
}

function isOver(running: Running): boolean {
  return running.replica.state.name === 'stopped' || running.replica.state.name === 'failed';
}

function notFound(id: string, cause?: unknown): GantryError {
  return new GantryError(
    'container_not_found',
    `There is no container ${id} (full id, or 12 characters and more).`,
    { detail: { id }, cause },
  );
}

function invalidState(message: string, held: Held, cause?: unknown): GantryError {
  const { server, id } = held.running.replica.identity;
  return new GantryError('invalid_state', message, {
    detail: { server, replica: id, state: held.running.replica.state.name },
    cause,
  });
}
