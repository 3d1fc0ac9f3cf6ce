import { type JsonRpcId, TurnoverMap } from '../kernel/index.ts';
import type { Silence } from '../resilience/index.ts';

/** A process that never answers what was withdrawn must not grow this without end; the oldest are forgotten. */
const MAX_WITHDRAWN = 1024;

/**
 * When a process was last heard, and what it still owes: enough to tell one that works from one that is frozen. What
 * was withdrawn (cancelled, timed out) stays owed, because the process may go on with it, until it is answered after
 * all or something that was asked later is: then the process has got past it.
 */
export class Heard {
  /** In the order they were asked, which is that of their ids. */
  readonly #owed = new TurnoverMap<JsonRpcId, number>();
  readonly #withdrawn = new Set<JsonRpcId>();
  #heardAtMs: number;

  constructor(startedAtMs: number) {
    this.#heardAtMs = startedAtMs;
  }

  get silence(): Silence {
    const [oldest] = this.#owed.values();
    return { heardAtMs: this.#heardAtMs, owedSinceMs: oldest ?? null };
  }

  asked(id: JsonRpcId, atMs: number): void {
    this.#owed.set(id, atMs);
  }

  /** Any message at all. What could not be read is no sign of life. */
  message(atMs: number): void {
    this.#heardAtMs = atMs;
  }

  answered(id: JsonRpcId): void {
    this.#pay(id);
    for (const other of this.#withdrawn) if (other < id) this.#pay(other);
  }

  /** Nobody waits for it any more; where it was answered, nothing happens. */
  withdrawn(id: JsonRpcId): void {
    if (!this.#owed.has(id)) return;
    this.#withdrawn.add(id);
    if (this.#withdrawn.size <= MAX_WITHDRAWN) return;
    const [oldest] = this.#withdrawn;
    if (oldest !== undefined) this.#pay(oldest);
  }

  #pay(id: JsonRpcId): void {
    this.#owed.delete(id);
    this.#withdrawn.delete(id);
  }
}
