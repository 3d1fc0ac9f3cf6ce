import type { EngineEvent } from '../engine/index.ts';
import type { Running } from './running.ts';

/** The containers that are held: by a pool, by a session, or being made right now (null). */
export class ContainerTable {
  readonly #held = new Map<string, Running | null>();

  hold(containerId: string, running: Running | null): void {
    this.#held.set(containerId, running);
  }

  drop(containerId: string): void {
    this.#held.delete(containerId);
  }

  has(containerId: string): boolean {
    return this.#held.has(containerId);
  }

  get(containerId: string): Running | undefined {
    return this.#held.get(containerId) ?? undefined;
  }

  all(): readonly Running[] {
    return [...this.#held.values()].filter((running) => running !== null);
  }

  /** What the engine says happens to a container reaches whoever holds it. */
  hear(event: EngineEvent): void {
    const running = this.get(event.containerId);
    if (event.type === 'oom') running?.sawOom();
    else running?.sawDown();
  }
}
