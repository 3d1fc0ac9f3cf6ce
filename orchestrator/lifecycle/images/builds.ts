import type { Engine } from '../../engine/index.ts';
import type { Clock, Facts } from '../../kernel/index.ts';
import { Gate } from '../gate.ts';
import { OWNER_LABEL, SERVER_LABEL } from '../labels.ts';
import { settledWithin } from '../waits.ts';

/** Two builds at a time: an install fills a core and a gibibyte. */
const PARALLEL_BUILDS = 2;
/** A longer build gives its place to the next: some installs take minutes, and servers of a second must not wait for them. */
const PLACE_HOLD_MS = 30_000;
/** However long they take: the engine's memory is bounded. */
const MOST_BUILDS = 4;
const BUILD_LIMITS = { memoryBytes: 1024 ** 3, cpus: 1 };
const BUILD_TIMEOUT_MS = 10 * 60_000;

export type Build = {
  /** Whose it is, or who was the first to need it. */
  readonly server: string;
  readonly tag: string;
  readonly context: () => NodeJS.ReadableStream;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Ten minutes where it does not say. */
  readonly timeoutMs?: number;
};

/** Builds images on the engine, few at a time and within limits. A tag names its content, so what is there is never rebuilt. */
export class Builds {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #facts: Facts;
  readonly #owner: string;
  readonly #places = new Gate(PARALLEL_BUILDS);
  readonly #all = new Gate(MOST_BUILDS);
  /** Builds and pulls under way: whoever wants the same waits for the same. */
  readonly #underway = new Map<string, Promise<void>>();

  constructor(options: { engine: Engine; clock: Clock; facts: Facts; owner: string }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#facts = options.facts;
    this.#owner = options.owner;
  }

  /**
   * Sees to it that an image is there.
   * @param make the builds it takes; only called where it is missing
   * @throws what `make` throws
   */
  async ensure(server: string, tag: string, make: () => Promise<void>): Promise<void> {
    const startedAt = this.#clock.now();
    let cached = true;
    await this.once(tag, () => {
      cached = false;
      return make();
    });
    const durationMs = this.#clock.now() - startedAt;
    this.#facts.state({ type: 'image.build', server, image: tag, cached, durationMs });
  }

  /** Makes an image unless it is there; those who ask at the same time share one making and its failure. */
  async once(tag: string, make: () => Promise<void>): Promise<void> {
    if (await this.#engine.images.has(tag)) return;
    const present = this.#underway.get(tag);
    if (present !== undefined) return await present;
    const making = make().finally(() => this.#underway.delete(tag));
    this.#underway.set(tag, making);
    await making;
  }

  /** One build, when its turn has come. @throws EngineError build_failed | build_timeout, GantryError engine_unavailable */
  run({ server, tag, context, buildArgs, timeoutMs = BUILD_TIMEOUT_MS }: Build): Promise<void> {
    return this.#all.run(async () => {
      const { building } = await this.#places.run(async () => {
        const building = this.#engine.images.build({
          tag,
          context: context(),
          labels: { [OWNER_LABEL]: this.#owner, [SERVER_LABEL]: server },
          buildArgs,
          network: 'install',
          limits: BUILD_LIMITS,
          timeoutMs,
        });
        await settledWithin(this.#clock, PLACE_HOLD_MS, building);
        return { building }; // a bare promise would be awaited here, place and all
      });
      await building;
    });
  }
}
