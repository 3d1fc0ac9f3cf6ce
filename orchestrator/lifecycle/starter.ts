import type { ContainerFacts, ContainerSpec, Engine } from '../engine/index.ts';
import { type Clock, type Facts, type Reason, reason, type ServerSpec, shortId } from '../kernel/index.ts';
import { type CallBreaker, type Holder, Replica, type ReplicaIdentity } from '../replica/index.ts';
import type { Admission } from './admission.ts';
import type { ChannelMaker } from './channel-maker.ts';
import type { ContainerTable } from './container-table.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import { containerLabels, volumeLabels, volumeName } from './labels.ts';
import { unappliedLimit } from './limits-check.ts';
import { Running } from './running.ts';
import { StartFailure } from './start-failure.ts';

/** Open files per process: what servers need, far from what a leak can do to the host. */
const NOFILE = 1024;

export type StartRequest = {
  readonly spec: ServerSpec;
  readonly image: PreparedImage;
  readonly replicaId: string;
  readonly generation: number;
  readonly restarts: number;
  readonly heldBy: Holder;
  /** Whose data the volume holds; null for a shared one. Without `spec.data` it does not matter. */
  readonly principal: string | null;
  readonly breaker: CallBreaker;
};

export type StarterOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly owner: string;
  readonly epoch: string;
  readonly channels: ChannelMaker;
  readonly table: ContainerTable;
  readonly admission: Admission;
  readonly onEngineError: (error: unknown) => void;
};

/** Makes replicas whose process runs: containers here, or connections to servers elsewhere (`remote/`). */
export type Starts = Pick<Starter, 'start' | 'revive'>;

/** Makes containers and starts their processes. A container that does not come up is removed before it throws. */
export class Starter {
  readonly #options: StarterOptions;

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /**
   * Create, compare the limits, open the channel, start: in this order, because output written while nobody is
   * attached is lost. The process runs afterwards; the handshake is the caller's. Nothing is made where memory is short.
   * @throws NoMemory, StartFailure, GantryError engine_unavailable, EngineError
   */
  start(request: StartRequest): Promise<Running> {
    const { spec, replicaId, heldBy } = request;
    const { memoryBytes } = spec.resources;
    return this.#admitted({ server: spec.name, id: replicaId, heldBy, memoryBytes }, () =>
      this.#start(request),
    );
  }

  /** Starts a stopped container again, with a channel and a replica of its own. Throws as `start`. */
  revive(stopped: Running, restarts: number, breaker: CallBreaker): Promise<Running> {
    const { server, id, generation, heldBy } = stopped.replica.identity;
    const { memoryBytes } = stopped.facts.limits;
    const who = { server, id, generation, restarts, heldBy };
    return this.#admitted({ ...who, memoryBytes }, () => this.#run(stopped.facts, who, breaker));
  }

  /** Its memory counts from now until its process is over. */
  async #admitted(
    who: Pick<ReplicaIdentity, 'server' | 'id' | 'heldBy'> & { memoryBytes: number },
    start: () => Promise<Running>,
  ): Promise<Running> {
    const { server, id: replica, heldBy, memoryBytes } = who;
    const claimant = heldBy === 'pool' ? 'standing' : heldBy;
    const giveBack = this.#options.admission.claim({ server, replica, memoryBytes, claimant });
    try {
      const running = await start();
      void running.ended.then(giveBack);
      return running;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async #start(request: StartRequest): Promise<Running> {
    const { engine, table, channels } = this.#options;
    const directory = await channels.newDirectory(request.spec, request.image);
    const spec = await this.#containerSpec(request, directory);
    const containerId = await engine.create(spec).catch((error: unknown) => {
      channels.forget(spec.labels);
      throw error;
    });
    table.hold(containerId, null);
    try {
      const facts = await engine.inspect(containerId);
      if (facts === null)
        throw new StartFailure(reason('internal', 'The container was removed by somebody.'));
      const wrong = unappliedLimit(spec, facts);
      if (wrong !== null) throw new StartFailure(limitsNotApplied(wrong), { retryAfterMs: 60_000 });
      const { replicaId: id, generation, restarts, heldBy, breaker } = request;
      return await this.#run(facts, { server: request.spec.name, id, generation, restarts, heldBy }, breaker);
    } catch (error) {
      await this.#removeUnstarted(containerId, spec.labels);
      throw error;
    }
  }

  async #run(
    facts: ContainerFacts,
    who: Omit<ReplicaIdentity, 'containerId' | 'startedAt'>,
    breaker: CallBreaker,
  ): Promise<Running> {
    const { engine, clock, table } = this.#options;
    const channel = await this.#options.channels.open(facts);
    const identity = { ...who, containerId: facts.id, startedAt: new Date(clock.now()).toISOString() };
    const running = new Running({
      replica: new Replica({ identity, channel, facts: this.#options.facts, clock, breaker }),
      facts,
      engine,
      clock,
      stated: this.#options.facts,
      onEngineError: this.#options.onEngineError,
      onRemoved: () => {
        table.drop(facts.id);
        this.#options.channels.forget(facts.labels);
      },
    });
    table.hold(facts.id, running);
    if (who.heldBy === 'spare') running.replica.waitForHolder(); // before its process can say anything
    try {
      await engine.start(facts.id);
    } catch (error) {
      running.replica.fail(reason('internal', 'The container could not be started.'));
      await running.ended;
      throw error;
    }
    running.sawStarted();
    return running;
  }

  async #containerSpec(request: StartRequest, directory: string | null): Promise<ContainerSpec> {
    const { spec, image, replicaId, generation } = request;
    const { owner, epoch } = this.#options;
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
      volume: await this.#volume(request),
      bridge: this.#options.channels.mountOf(directory),
    };
  }

  async #volume({ spec, image, principal }: StartRequest): Promise<ContainerSpec['volume']> {
    if (spec.data === null) return null;
    const { engine, owner } = this.#options;
    const name = volumeName(owner, spec.name, principal);
    const { uid } = await engine.images.runsAs(image.tag);
    await engine.volumes.ensure(name, volumeLabels(owner, spec.name), uid);
    return { name, path: spec.data };
  }

  async #removeUnstarted(containerId: string, labels: ContainerSpec['labels']): Promise<void> {
    const { engine, table, facts, channels } = this.#options;
    try {
      await engine.remove(containerId);
      channels.forget(labels);
      facts.state({ type: 'container.removed', containerId, why: 'start failed' });
    } catch (error) {
      this.#options.onEngineError(error); // no longer held, so the reconciler will find it
    }
    table.drop(containerId);
  }
}

function limitsNotApplied(difference: string): Reason {
  return reason(
    'limits_not_applied',
    `The engine did not apply the isolation that was asked for, so the container was removed (${difference}).`,
  );
}
