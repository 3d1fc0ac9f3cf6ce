import { Turns } from '../kernel/index.ts';
import type { Json, MeshStore } from './mesh-store.ts';

/** What a user asked of a server at run time, beside its configuration. */
export type Intent = {
  /** Nothing of it runs until it is started. */
  readonly stopped: boolean;
  /** Standing replicas instead of the configured number, as long as that one is the same. */
  readonly scale: { readonly replicas: number; readonly configured: number } | null;
};

const NONE: Intent = { stopped: false, scale: null };

/** Remembers what users asked for: written to the store first, so that what was confirmed outlives a restart. */
export class Intents {
  readonly #store: MeshStore;
  /** By server: the next change begins with what the one before has made of its record. */
  readonly #turns = new Turns();
  #known = new Map<string, Intent>();
  #wasRead = false;

  constructor(store: MeshStore) {
    this.#store = store;
  }

  /** Reads them, where that has not worked yet. @throws GantryError registry_unavailable */
  async load(): Promise<void> {
    if (this.#wasRead) return;
    const records = await this.#store.kept('intents');
    if (this.#wasRead) return; // somebody else has read it meanwhile, and perhaps written since
    this.#known = new Map([...records].map(([server, record]) => [server, intentFrom(record)]));
    this.#wasRead = true;
  }

  stopped(server: string): boolean {
    return this.#of(server).stopped;
  }

  /** @param configured replicas; once that number is changed, the new one is what the user wants. */
  replicas(server: string, configured: number): number {
    const { scale } = this.#of(server);
    return scale !== null && scale.configured === configured ? scale.replicas : configured;
  }

  /** @throws GantryError registry_unavailable, and nothing has changed */
  async stop(server: string): Promise<void> {
    await this.#put(server, { stopped: true });
  }

  /** @throws GantryError registry_unavailable, and nothing has changed */
  async start(server: string): Promise<void> {
    await this.#put(server, { stopped: false });
  }

  /** @throws GantryError registry_unavailable, and nothing has changed */
  async scale(server: string, replicas: number, configured: number): Promise<void> {
    const scale = replicas === configured ? null : { replicas, configured };
    await this.#put(server, { scale });
  }

  /** What was asked of servers that are gone says nothing about later ones of the same name. */
  async keepOnly(servers: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#known.keys()].filter((server) => !servers.has(server));
    if (gone.length === 0) return;
    await this.#store.keep('intents', { put: new Map(), remove: gone });
    for (const server of gone) this.#known.delete(server);
  }

  #of(server: string): Intent {
    return this.#known.get(server) ?? NONE;
  }

  #put(server: string, change: Partial<Intent>): Promise<void> {
    return this.#turns.take(server, () => this.#change(server, change));
  }

  async #change(server: string, change: Partial<Intent>): Promise<void> {
    await this.load(); // or one half of a record would overwrite the other
    const before = this.#of(server);
    const intent = { ...before, ...change };
    if (intent.stopped === before.stopped && same(intent.scale, before.scale)) return;
    const isNone = !intent.stopped && intent.scale === null;
    await this.#store.keep('intents', {
      put: new Map(isNone ? [] : [[server, intent]]),
      remove: isNone ? [server] : [],
    });
    if (isNone) this.#known.delete(server);
    else this.#known.set(server, intent);
  }
}

function same(a: Intent['scale'], b: Intent['scale']): boolean {
  return a?.replicas === b?.replicas && a?.configured === b?.configured;
}

function intentFrom(record: Json): Intent {
  const { stopped, scale } = (record ?? {}) as Partial<Record<keyof Intent, unknown>>;
  const { replicas, configured } = (scale ?? {}) as { replicas?: unknown; configured?: unknown };
  const isScale = typeof replicas === 'number' && typeof configured === 'number';
  return { stopped: stopped === true, scale: isScale ? { replicas, configured } : null };
}
