import { type Clock, messageOf } from '../kernel/index.ts';
import {
  type Change,
  HELD_KINDS,
  type HeldKind,
  type Json,
  type MeshStore,
  WRITTEN_BEHIND,
  type WrittenBehind,
} from './mesh-store.ts';

/** What there is now, by kind and key. Asked again for every write: small, and never out of step. */
export type Pictures = Readonly<Record<HeldKind | WrittenBehind, () => ReadonlyMap<string, Json>>>;

export type RecorderOptions = {
  readonly store: MeshStore;
  /** This start of the orchestrator. */
  readonly holder: string;
  readonly pictures: Pictures;
  readonly clock: Clock;
  /** Told when the store takes nothing, once until it works again. */
  readonly onTrouble: (message: string) => void;
};

/** As long as the reconciler takes at most to remove what a dead orchestrator left. */
const LEASE_MS = 30_000;
const RENEW_MS = LEASE_MS / 3;
/** Many things change at once; they are written together. */
const GATHER_MS = 250;

/**
 * Writes what the mesh is into the registry, behind the mesh's back: nothing waits for it. Each write brings the
 * store from what was written last to what is there now; after a failure it is asked first what it has.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #written = new Map<string, Map<string, string>>();
  #cancel: () => void = () => {};
  #isSoon = false;
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#isSoon || this.#closed) return;
    this.#isSoon = true;
    this.#writeIn(GATHER_MS);
  }

  /** Ends after the writes under way; what this holder held goes, what is kept stays. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#writing;
    try {
      await this.#options.store.letGo(this.#options.holder);
    } catch {
      // The store is away: the lease runs out by itself.
    }
  }

  #writeIn(ms: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#isSoon = false;
      this.#writing = this.#write().finally(() => {
        if (!this.#closed) this.#writeIn(this.#isSoon ? GATHER_MS : RENEW_MS);
      });
    });
  }

  async #write(): Promise<void> {
    try {
      for (const kind of HELD_KINDS) await this.#hold(kind);
      for (const kind of WRITTEN_BEHIND) await this.#keep(kind);
      this.#isFailing = false;
    } catch (error) {
      this.#written.clear(); // a write that got no answer may have happened: what is there is read again
      if (this.#isFailing) return;
      this.#isFailing = true;
      this.#options.onTrouble(`The registry is not kept up to date until it answers: ${messageOf(error)}`);
    }
  }

  async #hold(kind: HeldKind): Promise<void> {
    const { store, holder, pictures } = this.#options;
    const before = this.#written.get(kind) ?? texts((await store.held(kind)).get(holder) ?? new Map());
    const now = texts(pictures[kind]());
    const existed = await store.hold(kind, holder, difference(before, now), LEASE_MS);
    if (!existed && before.size > 0) await store.hold(kind, holder, difference(new Map(), now), LEASE_MS);
    this.#written.set(kind, now);
  }

  /** Only ever added to: a server whose tools are not known now is not one without tools. */
  async #keep(kind: WrittenBehind): Promise<void> {
    const { store, pictures } = this.#options;
    const before = this.#written.get(kind) ?? new Map<string, string>();
    const now = texts(pictures[kind]());
    const { put } = difference(before, now);
    if (put.size > 0) await store.keep(kind, { put, remove: [] });
    this.#written.set(kind, now);
  }
}

function texts(records: ReadonlyMap<string, Json>): Map<string, string> {
  return new Map([...records].map(([key, value]) => [key, JSON.stringify(value)]));
}

function difference(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Change {
  const changed = [...now].filter(([key, text]) => before.get(key) !== text);
  return {
    put: new Map(changed.map(([key, text]) => [key, JSON.parse(text) as Json])),
    remove: [...before.keys()].filter((key) => !now.has(key)),
  };
}
