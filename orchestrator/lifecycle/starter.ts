import type { ContainerFacts, ContainerSpec, Engine } from '../engine/index.ts';
import { type Clock, type Facts, type Reason, reason } from '../kernel/index.ts';
import {
  type CallBreaker,
  type Channel,
  type Holder,
  Replica,
  type ReplicaIdentity,
} from '../replica/index.ts';
import type { Admission } from './admission.ts';
import type { Candidate } from './candidate.ts';
import type { ChannelMaker } from './channel-maker.ts';
import { type ContainerRequest, containerSpec } from './container-spec.ts';
import type { ContainerTable } from './container-table.ts';
import { unappliedLimit } from './limits-check.ts';
import type { ReplicaKeeper } from './replica-keeper.ts';
import { Running } from './running.ts';
import { StartFailure } from './start-failure.ts';

/** Ids of calls for each owner of a process: half a year at 60,000 a second, and 8,000 owners within 2^53. */
const IDS_EACH = 2 ** 40;
const ENDED_MEANWHILE = reason('exited', 'The process that an earlier start left has ended meanwhile.');
const NOT_WRITTEN = reason('internal', 'The registry does not answer, so nothing is taken over.');

export type StartRequest = ContainerRequest & {
  readonly restarts: number;
  readonly heldBy: Holder;
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
  readonly keeper: ReplicaKeeper;
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
    this.#options.keeper.beginsAnew(stopped.facts.id);
    return this.#admitted({ ...who, memoryBytes }, () => this.#run(stopped.facts, who, breaker));
  }

  /**
   * Goes on with a container that an earlier start of the orchestrator left. Its replica serves when its process has found
   * its way here (`reconnect`); whoever wants to hear all it says listens in the turn in which this resolves.
   * Throws as `start`; the container is still there then.
   */
  reopen(candidate: Candidate, breaker: CallBreaker): Promise<Running> {
    const { facts, record } = candidate;
    const { server, id, heldBy } = record;
    const { memoryBytes } = facts.limits;
    return this.#admitted({ server, id, heldBy, memoryBytes }, () => this.#reopen(candidate, breaker));
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
    const spec = await containerSpec(request, directory, this.#options);
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
    const { engine, clock, channels } = this.#options;
    const channel = await channels.open(facts, { acknowledge: 'owner' });
    const startedAt = new Date(clock.now()).toISOString();
    const running = this.#held(facts, { ...who, containerId: facts.id, startedAt }, channel, breaker, 0);
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

  async #reopen({ facts, record, heardTo }: Candidate, breaker: CallBreaker): Promise<Running> {
    const { keeper, engine, channels } = this.#options;
    if (!(await keeper.takenOver(facts.id, record))) throw new StartFailure(NOT_WRITTEN);
    const now = await engine.inspect(facts.id);
    if (now === null || now.exit !== null) throw new StartFailure(ENDED_MEANWHILE);
    // Put to rest or paused by a user: frozen it could not find its way here, and neither is written down.
    if (now.state === 'paused') await engine.resume(facts.id);
    const resumeFrom = heardTo === null ? {} : { resumeFrom: heardTo };
    const channel = await channels.open(facts, { acknowledge: 'owner', ...resumeFrom });
    const { server, id, generation, heldBy, restarts, startedAt } = record;
    const identity = { server, id, generation, heldBy, restarts, startedAt, containerId: facts.id };
    const idsAbove = (record.takeovers + 1) * IDS_EACH;
    const running = this.#held(facts, identity, channel, breaker, idsAbove);
    running.sawStarted();
    return running;
  }

  #held(
    facts: ContainerFacts,
    identity: ReplicaIdentity,
    channel: Channel,
    breaker: CallBreaker,
    idsAbove: number,
  ): Running {
    const { engine, clock, table, keeper, facts: stated } = this.#options;
    const memory = keeper.memoryOf(facts.id);
    const lasting = { idsAbove, ...(memory === null ? {} : { memory }) };
    const running = new Running({
      replica: new Replica({ identity, channel, facts: stated, clock, breaker, lasting }),
      facts,
      engine,
      clock,
      stated,
      onEngineError: this.#options.onEngineError,
      isLeft: () => keeper.leaves(facts.id),
      onRemoved: () => {
        table.drop(facts.id);
        keeper.forget(facts.id);
        this.#options.channels.forget(facts.labels);
      },
    });
    table.hold(facts.id, running);
    return running;
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
