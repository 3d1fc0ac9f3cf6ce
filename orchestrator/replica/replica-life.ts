import { mayBecome, type ReplicaState } from './replica-state.ts';

/** The state of one replica, and who wants to hear of it. */
export class ReplicaLife {
  /** Whether it came to serve; false where it ended before. */
  readonly settled: Promise<boolean>;
  readonly #onState: (state: ReplicaState) => void;
  readonly #watchers = new Set<(state: ReplicaState) => void>();
  #state: ReplicaState = { name: 'starting' };

  /** @param onState told before anybody who watches */
  constructor(onState: (state: ReplicaState) => void) {
    this.#onState = onState;
    this.settled = new Promise((resolve) => {
      this.#watchers.add(({ name }) => {
        if (name === 'ready') resolve(true);
        if (name === 'failed' || name === 'stopped') resolve(false);
      });
    });
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** @returns a function that stops watching. */
  watch(watcher: (state: ReplicaState) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Ignored where the one does not follow the other. */
  become(next: ReplicaState): void {
    if (!mayBecome(this.#state.name, next.name)) return;
    this.#state = next;
    this.#onState(next);
    for (const watcher of this.#watchers) watcher(next);
  }
}
