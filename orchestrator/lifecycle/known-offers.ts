import { isDeepStrictEqual } from 'node:util';
import type { Facts, Offers, ServerSpec } from '../kernel/index.ts';
import { listOffers, type Replica } from '../replica/index.ts';
import type { MeshMemory } from './mesh-memory.ts';

/** One page should be quick; a server that lists for longer serves all the same, what it lists unknown. */
const LIST_TIMEOUT_MS = 10_000;

export type KnownOffersOptions = {
  readonly spec: ServerSpec;
  readonly facts: Facts;
  readonly memory: MeshMemory;
};

/** What a server offers, as a standing replica listed it last. */
export class KnownOffers {
  readonly #server: string;
  readonly #facts: Facts;
  #now: Offers | null;

  /** @param made what its containers are made of: what an earlier start knew of others does not count */
  constructor({ spec, facts, memory }: KnownOffersOptions, made: string) {
    this.#server = spec.name;
    this.#facts = facts;
    this.#now = memory.offers(spec.name, made);
  }

  /** Null while no replica has been ready. */
  get now(): Offers | null {
    return this.#now;
  }

  /** Asks one that has just become ready. Never rejects. */
  async read(replica: Replica): Promise<void> {
    const offers = await offersOf(replica, this.#now);
    // One that died meanwhile lists nothing: that says nothing about the server.
    if (!replica.available || isDeepStrictEqual(offers, this.#now)) return;
    this.#now = offers;
    this.#facts.state({ type: 'server.offers', server: this.#server });
  }
}

/** @param before counts for a list that cannot be read now. Never rejects. */
export async function offersOf(replica: Replica, before: Offers | null): Promise<Offers> {
  const { capabilities = {}, instructions = null } = replica.handshake ?? {};
  const options = { callTimeoutMs: LIST_TIMEOUT_MS, maxCallMs: LIST_TIMEOUT_MS };
  return await listOffers(replica, { capabilities, instructions }, options, before);
}
