import { createHash } from 'node:crypto';
import { messageOf, type Offers, readOffers } from '../kernel/index.ts';
import type { Json, MeshStore } from './mesh-store.ts';

/** Of one server, for so many audiences; the oldest go. Few clients differ in what they can do. */
const MAX_PER_SERVER = 16;

type Learned = { readonly server: string; readonly made: string; readonly offers: Offers };

/**
 * What servers listed in processes that were greeted for others than Gantry, by server and audience. Written behind; while
 * the store is away it is only remembered here.
 */
export class LearnedOffers {
  readonly #store: MeshStore;
  readonly #onTrouble: (message: string) => void;
  /** The longest untouched comes first. */
  readonly #known = new Map<string, Learned>();

  constructor(store: MeshStore, onTrouble: (message: string) => void) {
    this.#store = store;
    this.#onTrouble = onTrouble;
  }

  /** Reads what earlier starts learned; what was learned since is newer. @throws GantryError registry_unavailable */
  async load(): Promise<void> {
    for (const [key, record] of await this.#store.kept('offers')) {
      const learned = readLearned(record);
      if (learned !== null && !this.#known.has(key)) this.#known.set(key, learned);
    }
  }

  /** @param made what the server's containers are made of now; another program may offer something else */
  get(server: string, audience: string, made: string): Offers | null {
    const learned = this.#known.get(keyOf(server, audience));
    return learned?.made === made ? learned.offers : null;
  }

  put(server: string, audience: string, made: string, offers: Offers): void {
    const key = keyOf(server, audience);
    const record: Learned = { server, made, offers };
    this.#known.delete(key);
    this.#known.set(key, record);
    const all = [...this.#known].filter(([, learned]) => learned.server === server);
    const old = all.slice(0, -MAX_PER_SERVER).map(([other]) => other);
    for (const other of old) this.#known.delete(other);
    this.#write(new Map([[key, record]]), old);
  }

  /** Forgets servers that are gone. */
  keepOnly(servers: ReadonlySet<string>): void {
    const gone = [...this.#known].filter(([, { server }]) => !servers.has(server)).map(([key]) => key);
    for (const key of gone) this.#known.delete(key);
    if (gone.length > 0) this.#write(new Map(), gone);
  }

  #write(put: ReadonlyMap<string, Json>, remove: readonly string[]): void {
    this.#store.keep('offers', { put, remove }).catch((error) => {
      this.#onTrouble(`What a server offers was not written down: ${messageOf(error)}`);
    });
  }
}

/** An audience may hold the name of a principal, which is nobody else's business, and any text of a client. */
function keyOf(server: string, audience: string): string {
  return `${server}:${createHash('sha256').update(audience).digest('base64url')}`;
}

function readLearned(value: Json): Learned | null {
  const { server, made, offers } = (value ?? {}) as Record<string, unknown>;
  const read = readOffers(offers);
  if (typeof server !== 'string' || typeof made !== 'string' || read === null) return null;
  return { server, made, offers: read };
}
