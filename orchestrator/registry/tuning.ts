import { type BalanceStrategy, isObject, type ServerSpec, type Tune, Turns } from '../kernel/index.ts';
import type { Json, MeshStore } from './mesh-store.ts';
import { reached } from './reached.ts';

/** A value, and the configured one that it took the place of; without that it holds whatever is configured. */
type Setting = { readonly value: unknown; readonly configured?: unknown };
type Settings = Readonly<Partial<Record<keyof Tune, Setting>>>;

const FIELDS = ['strategy', 'consecutiveFailures', 'ejectMs'] as const;
/** No name of a server. */
const ALL = '*';

/**
 * What was set over the mesh API on top of the configuration, also for servers of the file. The last word counts: a
 * setting holds until the next one, or until the server's own configuration says something else than it did then.
 * Written to the store first, so that what was confirmed outlives a restart.
 */
export class Tuning {
  readonly #store: MeshStore;
  /** One for all: the next change begins with what the one before has made of the records. */
  readonly #turns = new Turns();
  #known = new Map<string, Settings>();
  #wasRead = false;

  constructor(store: MeshStore) {
    this.#store = store;
  }

  /** @returns whether it was read now; false too where the store does not answer */
  async load(): Promise<boolean> {
    return !this.#wasRead && reached(() => this.#read());
  }

  /** The same definitions with what was set. */
  over(specs: readonly ServerSpec[]): readonly ServerSpec[] {
    return specs.map((spec) => this.#tuned(spec));
  }

  /**
   * @param specs as configured: those it is for
   * @param isForAll whether later servers are meant, too
   * @throws GantryError registry_unavailable, and nothing has changed
   */
  set(tune: Tune, specs: readonly ServerSpec[], isForAll: boolean): Promise<void> {
    return this.#turns.take(ALL, () => this.#set(tune, specs, isForAll));
  }

  async #set(tune: Tune, specs: readonly ServerSpec[], isForAll: boolean): Promise<void> {
    if (!this.#wasRead) await this.#read();
    const fields = FIELDS.filter((field) => tune[field] !== undefined);
    const put = new Map<string, Settings>();
    for (const spec of specs) {
      const own = fields.map((field) => [field, { value: tune[field], configured: configured(spec, field) }]);
      put.set(spec.name, { ...this.#known.get(spec.name), ...Object.fromEntries(own) });
    }
    if (isForAll) {
      const later = fields.map((field) => [field, { value: tune[field] }]);
      put.set(ALL, { ...this.#known.get(ALL), ...Object.fromEntries(later) });
    }
    await this.#store.keep('tuning', { put, remove: [] });
    for (const [name, settings] of put) this.#known.set(name, settings);
  }

  /**
   * Back to what is configured.
   * @param service null for all
   * @throws GantryError registry_unavailable, and nothing has changed
   */
  reset(service: string | null): Promise<void> {
    return this.#turns.take(ALL, () => this.#reset(service));
  }

  async #reset(service: string | null): Promise<void> {
    if (!this.#wasRead) await this.#read();
    const remove = service === null ? [...this.#known.keys()] : [];
    // Its own word, or what holds for all would be back.
    const own = Object.fromEntries(FIELDS.map((field) => [field, { value: null }]));
    const put = new Map<string, Settings>(service === null ? [] : [[service, own]]);
    await this.#store.keep('tuning', { put, remove });
    for (const name of remove) this.#known.delete(name);
    for (const [name, settings] of put) this.#known.set(name, settings);
  }

  async #read(): Promise<void> {
    const records = await this.#store.kept('tuning');
    if (this.#wasRead) return; // somebody else has read it meanwhile, and perhaps written since
    this.#known = new Map([...records].map(([name, record]) => [name, settingsFrom(record)]));
    this.#wasRead = true;
  }

  #tuned(spec: ServerSpec): ServerSpec {
    const value = <T>(field: keyof Tune): T | null => this.#value(spec, field) as T | null;
    const strategy = value<BalanceStrategy>('strategy') ?? spec.balance.strategy;
    const consecutiveFailures = value<number>('consecutiveFailures') ?? spec.breaker.consecutiveFailures;
    const ejectMs = value<number>('ejectMs') ?? spec.breaker.ejectMs;
    const maxEjectMs = Math.max(ejectMs, spec.breaker.maxEjectMs);
    return {
      ...spec,
      balance: { ...spec.balance, strategy },
      breaker: { ...spec.breaker, consecutiveFailures, ejectMs, maxEjectMs },
    };
  }

  /** Null where what is configured holds. */
  #value(spec: ServerSpec, field: keyof Tune): unknown {
    const own = this.#known.get(spec.name)?.[field];
    if (own === undefined) return this.#known.get(ALL)?.[field]?.value ?? null;
    return own.configured === configured(spec, field) ? own.value : null;
  }
}

function configured({ balance, breaker }: ServerSpec, field: keyof Tune): unknown {
  return field === 'strategy' ? balance.strategy : breaker[field];
}

function settingsFrom(record: Json): Settings {
  const given = isObject(record) ? record : {};
  const known = FIELDS.flatMap((field) => (isObject(given[field]) ? [[field, given[field]]] : []));
  return Object.fromEntries(known) as Settings;
}
