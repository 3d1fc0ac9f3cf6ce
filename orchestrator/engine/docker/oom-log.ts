/** Containers that are still listed, at most: far above what one engine holds. */
const MAX_ENTRIES = 10_000;

/**
 * Counts out-of-memory events per container. Docker's statistics carry no such counter (neither cgroup
 * version), and its flag is unreliable on cgroup v2, so the events are the truth; they are heard only while
 * `events` is subscribed.
 */
export class OomLog {
  readonly #counts = new Map<string, number>();

  count(containerId: string): number {
    return this.#counts.get(containerId) ?? 0;
  }

  add(containerId: string): void {
    this.#counts.set(containerId, this.count(containerId) + 1);
    if (this.#counts.size <= MAX_ENTRIES) return;
    const oldest = this.#counts.keys().next().value;
    if (oldest !== undefined) this.#counts.delete(oldest);
  }

  forget(containerId: string): void {
    this.#counts.delete(containerId);
  }
}
