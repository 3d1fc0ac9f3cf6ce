import {
  type Clock,
  type EraVerdict,
  type Facts,
  GantryError,
  type ServerSpec,
  shortId,
  speaks,
} from '../../kernel/index.ts';
import type { Replica } from '../../replica/index.ts';
import { inBackground } from '../background.ts';
import type { EngineUp } from '../engine-watch.ts';
import type { Gate } from '../gate.ts';
import type { ImageMemo } from '../image-memo.ts';
import type { PreparedImage } from '../images/prepared-image.ts';
import type { ReplicaHost } from '../replica-host.ts';
import type { Running } from '../running.ts';
import { serverStopped, startRefusal, stillInstalling } from '../start-refusal.ts';
import type { Starts } from '../starter.ts';
import { eraKey } from './era-key.ts';
import type { EraMemory } from './era-memory.ts';
import { probeEra } from './era-probe.ts';

/** The process has answered all that it was asked for: it has nothing to finish. */
const END_WITHIN_MS = 2000;
/** It serves nobody: there is nothing to take it out of. */
const UNGUARDED = { state: 'closed' as const, record: () => {} };
/** A program that could not be asked is not asked again sooner: each try is two containers. */
const ASK_AGAIN_MS = 30_000;

type AskWhen = 'unless remembered' | 'in any case';

export type EraFinderOptions = {
  readonly spec: () => ServerSpec;
  readonly image: ImageMemo;
  readonly engine: ReplicaHost;
  readonly starter: Starts;
  readonly gate: Gate;
  readonly engineWatch: EngineUp;
  readonly memory: EraMemory;
  readonly clock: Clock;
  readonly facts: Facts;
  /** Whose volume throwaway replicas see: that of the standing ones. */
  readonly principal: () => string | null;
  readonly accepting: () => boolean;
};

/**
 * Which eras one server speaks: remembered by image, program, arguments and variables, else asked in
 * replicas made for the question, which count for nothing else.
 */
export class EraFinder {
  readonly #options: EraFinderOptions;
  #found: { readonly image: PreparedImage; readonly verdict: EraVerdict } | null = null;
  #asking: Promise<EraVerdict> | null = null;
  readonly #throwaways = new Set<Running>();
  #refused: { readonly error: unknown; readonly until: number } | null = null;
  #hasGreeted = false;

  constructor(options: EraFinderOptions) {
    this.#options = options;
  }

  /** As far as it is known without asking anybody. */
  get known(): EraVerdict | null {
    return this.#found?.verdict ?? null;
  }

  /** What is remembered of the image that is prepared now; looked up anew each time. Never rejects because of it. */
  async remembered(image: PreparedImage): Promise<EraVerdict | null> {
    const key = await this.#keyOf(image);
    const verdict = key === null ? null : await this.#options.memory.get(key);
    if (verdict !== null) this.#found = { image, verdict };
    else if (this.#found?.image !== image) this.#found = null;
    return verdict;
  }

  /** @throws GantryError no_replica, replica_failed where it cannot be found out, engine_unavailable */
  async find(): Promise<EraVerdict> {
    const { image, spec, clock } = this.#options;
    if (this.#found !== null && this.#found.image === image.prepared) return this.#found.verdict;
    if (!this.#options.accepting()) throw serverStopped(spec());
    if (this.#refused !== null && clock.now() < this.#refused.until) throw this.#refused.error;
    return await this.#askOnce('unless remembered');
  }

  /** Asks again, whatever is remembered: a verdict has turned out to be wrong. Throws as `find`. */
  async again(): Promise<EraVerdict> {
    if (!this.#options.accepting()) throw serverStopped(this.#options.spec());
    return await this.#askOnce('in any case');
  }

  /**
   * Whether sessions can be relayed as they are. A server that cannot be asked counts as one: its own handshake will
   * say what is wrong. Throws as `find`, without replica_failed.
   */
  async speaksLegacy(): Promise<boolean> {
    if (this.#found === null && this.#hasGreeted) return true;
    try {
      return speaks(await this.find(), 'legacy');
    } catch (error) {
      if (error instanceof GantryError && error.code === 'replica_failed') return true;
      throw error;
    }
  }

  /** A replica has answered `initialize`; what else it speaks is found out while it serves. */
  greeted(): void {
    this.#hasGreeted = true;
    this.#refused = null;
    const finding = this.find().catch((error: unknown) => {
      if (!(error instanceof GantryError)) throw error; // else it is asked again by whoever needs it
    });
    inBackground(this.#options.facts, `era of ${this.#options.spec().name}`, finding);
  }

  /** The image may be another one from now on. */
  forget(): void {
    this.#hasGreeted = false;
    this.#refused = null;
  }

  /** Ends throwaway replicas. `accepting` has to be false by then. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#throwaways].map((running) => this.#end(running)));
    await this.#asking?.catch(() => {
      // Whoever asked was told.
    });
  }

  /** Callers at the same time wait for the same answer. */
  #askOnce(when: AskWhen): Promise<EraVerdict> {
    this.#asking ??= this.#ask(when).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(when: AskWhen): Promise<EraVerdict> {
    const { image, spec, clock, memory, engineWatch } = this.#options;
    try {
      const prepared = await image.soon();
      if (prepared === null) throw stillInstalling(spec());
      const remembered = when === 'in any case' ? null : await this.remembered(prepared);
      if (remembered !== null) return remembered;
      const { readyMs } = spec().timeouts;
      const verdict = await probeEra({
        withThrowaway: (questions) => this.#withThrowaway(prepared, questions),
        clock,
        readyMs,
      });
      if (verdict === null) throw speaksNeither(spec());
      this.#found = { image: prepared, verdict };
      const key = await this.#keyOf(prepared);
      if (key !== null) await memory.put(key, verdict);
      return verdict;
    } catch (error) {
      engineWatch.report(error);
      image.report(error);
      const refusal = startRefusal(spec(), error);
      if (refusal.code === 'replica_failed') {
        this.#refused = { error: refusal, until: clock.now() + ASK_AGAIN_MS };
      }
      throw refusal;
    }
  }

  async #withThrowaway<T>(image: PreparedImage, questions: (replica: Replica) => Promise<T>): Promise<T> {
    const { gate, starter, spec, accepting, principal } = this.#options;
    const running = await gate.run(async () => {
      if (!accepting()) throw serverStopped(spec());
      return await starter.start({
        spec: spec(),
        image,
        replicaId: `${spec().name}-era-${shortId()}`,
        generation: 1,
        restarts: 0,
        heldBy: 'session',
        principal: principal(),
        breaker: UNGUARDED,
      });
    });
    this.#throwaways.add(running);
    try {
      if (!accepting()) throw serverStopped(spec());
      return await questions(running.replica);
    } finally {
      inBackground(this.#options.facts, `throwaway replica of ${spec().name}`, this.#end(running));
    }
  }

  async #end(running: Running): Promise<void> {
    await running.stop(END_WITHIN_MS);
    await running.remove('its era was asked');
    this.#throwaways.delete(running);
  }

  /** Null where the engine cannot tell: then nothing is remembered. */
  async #keyOf({ tag, command }: PreparedImage): Promise<string | null> {
    try {
      const image = await this.#options.engine.images.inspect(tag);
      return image === null ? null : eraKey(image.id, command, this.#options.spec());
    } catch (error) {
      this.#options.engineWatch.report(error);
      return null;
    }
  }
}

function speaksNeither({ name }: ServerSpec): GantryError {
  const message = `Server ${name} answered neither initialize nor server/discover.`;
  return new GantryError('replica_failed', message, { detail: { server: name, mayHaveRun: false } });
}
