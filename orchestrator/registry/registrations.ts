import {
  type Clock,
  GantryError,
  isObject,
  messageOf,
  type NewRegistration,
  type Registration,
  Turns,
} from '../kernel/index.ts';
import type { Json, MeshStore } from './mesh-store.ts';
import { reached } from './reached.ts';

/** As many as a server of the configuration may have addresses or replicas. */
const MAX_INSTANCES = 100;

export type RegistrationsOptions = {
  readonly store: MeshStore;
  readonly clock: Clock;
  /** Some came, changed or went. Settles when that has been carried out. */
  readonly onChange: () => Promise<void>;
  readonly onTrouble: (message: string) => void;
};

/**
 * Servers elsewhere that registered themselves. Written to the store before they are confirmed, so that they survive a
 * restart within their time; whoever is not heard from in time is gone.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #known = new Map<string, Registration>();
  /** By service: a number is taken, and what is written is what is known, before the next one looks. */
  readonly #turns = new Turns();
  #wasRead = false;
  #cancelTimer: () => void = () => {};

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** False while the store has been away since the start: then nothing is known yet. */
  get wasRead(): boolean {
    return this.#wasRead;
  }

  /** In the order of their services and places. */
  get all(): readonly Registration[] {
    const order = (a: Registration, b: Registration): number =>
      a.service === b.service ? a.number - b.number : a.service < b.service ? -1 : 1;
    return [...this.#known.values()].sort(order);
  }

  /** @throws GantryError registration_not_found */
  get(id: string): Registration {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    throw new GantryError(
      'registration_not_found',
      `Nothing is registered as ${id}, or its time has run out.`,
      {
        detail: { service_id: id },
      },
    );
  }

  /**
   * Reads what is still good, where that has not worked yet.
   * @returns whether it worked now; false too where the store does not answer
   */
  async load(): Promise<boolean> {
    return !this.#wasRead && reached(() => this.#read());
  }

  /**
   * Registers an instance, or renews one of the same id.
   * @returns whether it is new or another than before
   * @throws GantryError queue_full where the service has as many as it may have, registry_unavailable
   */
  async register(given: NewRegistration): Promise<'registered' | 'renewed'> {
    const wasRead = this.#wasRead;
    const before = await this.#turns.take(given.service, () => this.#put(given));
    const isSame = before?.service === given.service && before.url === given.url;
    // Where the store had been away until now, the others that it holds come with this one.
    if (!isSame || !wasRead) await this.#options.onChange();
    return before === undefined ? 'registered' : 'renewed';
  }

  /**
   * It lives. Counts at once, also where the store cannot be told: that is no fault of its own.
   * @throws GantryError registration_not_found, registry_unavailable
   */
  async renew(id: string): Promise<Registration> {
    const before = this.get(id);
    this.#known.set(id, { ...before, expiresAt: this.#options.clock.now() + before.ttlMs });
    this.#arm();
    return this.#turns.take(before.service, async () => {
      const renewed = this.get(id); // in the turns of others it may have gone, or become another
      await this.#write([renewed], []);
      return renewed;
    });
  }

  /** @throws GantryError registration_not_found, registry_unavailable */
  async deregister(id: string): Promise<Registration> {
    const gone = await this.#turns.take(this.get(id).service, async () => {
      const known = this.get(id);
      await this.#write([], [id]);
      this.#known.delete(id);
      return known;
    });
    await this.#options.onChange();
    return gone;
  }

  close(): void {
    this.#cancelTimer();
  }

  async #read(): Promise<void> {
    const records = await this.#options.store.kept('registrations');
    if (this.#wasRead) return; // somebody else has read it meanwhile, and perhaps written since
    const now = this.#options.clock.now();
    const found = [...records.values()].map(registrationFrom).filter((one) => one !== null);
    for (const one of found) if (one.expiresAt > now) this.#known.set(one.id, one);
    this.#wasRead = true;
    this.#arm();
    const over = [...records.keys()].filter((id) => !this.#known.has(id));
    if (over.length > 0) await this.#forget(over);
  }

  /** @returns what was known under its id before */
  async #put(given: NewRegistration): Promise<Registration | undefined> {
    if (!this.#wasRead) await this.#read(); // or its number could be somebody else's
    const before = this.#known.get(given.id);
    const number = before?.service === given.service ? before.number : this.#freeNumber(given.service);
    const registration = { ...given, number, expiresAt: this.#options.clock.now() + given.ttlMs };
    await this.#write([registration], []);
    this.#known.set(registration.id, registration);
    this.#arm();
    return before;
  }

  async #write(put: readonly Registration[], remove: readonly string[]): Promise<void> {
    await this.#options.store.keep('registrations', {
      put: new Map(put.map((one) => [one.id, one])),
      remove,
    });
  }

  /** @throws GantryError queue_full */
  #freeNumber(service: string): number {
    const others = this.all.filter((one) => one.service === service);
    if (others.length >= MAX_INSTANCES) throw this.#full(service, others);
    const taken = new Set(others.map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    return number;
  }

  #full(service: string, others: readonly Registration[]): GantryError {
    const message = `Service ${service} has ${others.length} instances, as many as it may have; deregister one first.`;
    const next = Math.min(...others.map(({ expiresAt }) => expiresAt));
    const retryAfterMs = Math.max(0, next - this.#options.clock.now());
    return new GantryError('queue_full', message, {
      detail: { server: service, limit: MAX_INSTANCES, retryAfterMs },
    });
  }

  #arm(): void {
    this.#cancelTimer();
    const next = Math.min(...[...this.#known.values()].map(({ expiresAt }) => expiresAt));
    if (!Number.isFinite(next)) return;
    const delayMs = Math.max(1, next - this.#options.clock.now());
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.#expire());
  }

  /** Never rejects: nobody waits for it, and one list that cannot be carried out is not the end of the process. */
  async #expire(): Promise<void> {
    const now = this.#options.clock.now();
    const over = this.all.filter(({ expiresAt }) => expiresAt <= now);
    for (const { id } of over) this.#known.delete(id);
    this.#arm();
    if (over.length === 0) return;
    try {
      await Promise.all(over.map((one) => this.#turns.take(one.service, () => this.#forgetGone(one.id))));
      await this.#options.onChange();
    } catch (error) {
      this.#options.onTrouble(`Registrations are over, which could not be carried out: ${messageOf(error)}`);
    }
  }

  async #forgetGone(id: string): Promise<void> {
    if (!this.#known.has(id)) await this.#forget([id]); // else it has come back at this very moment
  }

  /** What the store keeps all the same is over by its own date. */
  async #forget(ids: readonly string[]): Promise<void> {
    try {
      await this.#write([], ids);
    } catch (error) {
      if (!(error instanceof GantryError)) throw error;
      this.#options.onTrouble(`Registrations that are over stay in the registry for now: ${ids.join(', ')}.`);
    }
  }
}

/** Null for what another version may have stored in another shape. */
function registrationFrom(record: Json): Registration | null {
  if (!isObject(record)) return null;
  const { id, service, url, tags, metadata, ttlMs, expiresAt, number } = record;
  if (typeof id !== 'string' || typeof service !== 'string' || typeof url !== 'string') return null;
  if (typeof ttlMs !== 'number' || typeof expiresAt !== 'number' || typeof number !== 'number') return null;
  if (!Array.isArray(tags) || !isObject(metadata)) return null;
  return { id, service, url, tags: tags.map(String), metadata, ttlMs, expiresAt, number };
}
