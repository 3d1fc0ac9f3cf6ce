import { type Clock, type Facts, reason } from '../kernel/index.ts';
import { type Claimant, defaultMemoryBudget, judgeMemory } from '../resilience/index.ts';
import { StartFailure } from './start-failure.ts';

const MiB = 1024 ** 2;
/** How soon a standing replica that was not let in asks again. */
const RETRY_AFTER_MS = 2000;
/** A standing replica that has not asked again by then has been given up. */
const AWAITED_MS = 3 * RETRY_AFTER_MS;
/** After a refusal no spare is made for so long: it would take what somebody is just coming back for. */
const TIGHT_MS = 30_000;

export type ClaimRequest = {
  readonly server: string;
  readonly replica: string;
  readonly memoryBytes: number;
  readonly claimant: Claimant;
};

/** Has spares, perhaps. `giveUp` gives back how many bytes one that is given up will free, 0 where there is none. */
export type SpareHolder = { giveUp(): number };

/** A container was not let in. */
export class NoMemory extends StartFailure {
  readonly detail: { readonly neededBytes: number; readonly freeBytes: number; readonly budgetBytes: number };

  constructor(server: string, detail: NoMemory['detail']) {
    const { neededBytes, freeBytes, budgetBytes } = detail;
    const text = `Server ${server} needs ${mib(neededBytes)} for another replica, and of the memory budget of ${mib(budgetBytes)} only ${mib(freeBytes)} are free. It is started as soon as others end; limits.memoryBudget raises the budget.`;
    super(reason('no_memory', text), { retryAfterMs: RETRY_AFTER_MS });
    this.detail = detail;
  }
}

/**
 * Lets containers in as long as their memory limits fit the budget together. What is let in counts until its process
 * is over: a paused container still has its memory, a stopped one has given it back.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #facts: Facts;
  readonly #configuredBytes: number | null;
  readonly #ceilingBytes: number;
  readonly #spares: () => Iterable<SpareHolder>;
  readonly #claims = new Set<ClaimRequest>();
  /** Standing replicas that were not let in, by id. */
  readonly #awaited = new Map<string, { readonly bytes: number; readonly untilMs: number }>();
  #budgetBytes: number | null = null;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    clock: Clock;
    facts: Facts;
    /** As configured; null or absent: worked out from the engine's memory. */
    memoryBudgetBytes?: number | null;
    /** What the engine's own container may use, where that is less than the engine says. */
    engineMemoryBytes?: number;
    /** Who could give up what nobody uses. */
    spares: () => Iterable<SpareHolder>;
  }) {
    this.#clock = options.clock;
    this.#facts = options.facts;
    this.#configuredBytes = options.memoryBudgetBytes ?? null;
    this.#ceilingBytes = options.engineMemoryBytes ?? Number.POSITIVE_INFINITY;
    this.#spares = options.spares;
    this.#budgetBytes = this.#configuredBytes;
  }

  /** The engine has told how much memory it has: that of its host, whatever its own container may use. */
  engineHas(memoryBytes: number): void {
    const bytes = Math.min(memoryBytes, this.#ceilingBytes);
    this.#budgetBytes = this.#configuredBytes ?? defaultMemoryBudget(bytes);
    this.#tell();
  }

  /** @returns how to give it back, once. @throws NoMemory */
  claim(request: ClaimRequest): () => void {
    const { server, replica, memoryBytes: neededBytes, claimant } = request;
    const now = this.#clock.now();
    this.#awaited.delete(replica);
    const facts = {
      budgetBytes: this.#budgetBytes,
      committedBytes: this.#committedBytes,
      awaitedBytes: this.#awaitedBytes(now),
      neededBytes,
      claimant,
      isTight: now - this.#refusedAt < TIGHT_MS,
    };
    const { fits, freeBytes } = judgeMemory(facts);
    if (!fits) {
      if (claimant !== 'spare') {
        this.#refusedAt = now;
        this.#makeRoom(neededBytes - freeBytes);
      }
      if (claimant === 'standing') {
        this.#awaited.set(replica, { bytes: neededBytes, untilMs: now + AWAITED_MS });
      }
      this.#facts.state({ type: 'memory.refused', server, claimant, neededBytes, freeBytes });
      throw new NoMemory(server, { neededBytes, freeBytes, budgetBytes: this.#budgetBytes ?? 0 });
    }
    const claim = { ...request };
    this.#claims.add(claim);
    this.#tell();
    return () => {
      if (this.#claims.delete(claim)) this.#tell();
    };
  }

  get #committedBytes(): number {
    return [...this.#claims].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  #awaitedBytes(now: number): number {
    for (const [id, { untilMs }] of this.#awaited) if (untilMs <= now) this.#awaited.delete(id);
    return [...this.#awaited.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Spares give way to whoever is waited for; soon, not at once. */
  #makeRoom(bytes: number): void {
    let missing = bytes;
    for (const holder of this.#spares()) {
      if (missing <= 0) return;
      missing -= holder.giveUp();
    }
  }

  #tell(): void {
    const committedBytes = this.#committedBytes;
    this.#facts.state({ type: 'memory.committed', committedBytes, budgetBytes: this.#budgetBytes });
  }
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / MiB)} MiB`;
}
