import type { Offers, Reason, ServerState } from '../../kernel/index.ts';

/**
 * What is known of servers without asking them, so that listing wakes nobody. `lifecycle` and `registry` have it, `main` hands it in.
 */
export type Catalogue = {
  /** All servers. */
  names(): readonly string[];
  /** @throws GantryError server_not_found */
  state(server: string): { readonly state: ServerState; readonly reason: Reason | null };
  /** As its standing replicas listed it, which were greeted without capabilities; null while that is not known. */
  offers(server: string): Offers | null;
  /** As processes listed it that were greeted for other clients (`audienceKey`). */
  learned(server: string, audience: string): Offers | null;
  /** Remembers it, also for later starts; behind the caller's back. */
  learn(server: string, audience: string, offers: Offers): void;
};
