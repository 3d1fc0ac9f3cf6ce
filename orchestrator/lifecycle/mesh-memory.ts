import type { Offers } from '../kernel/index.ts';
import type { ServerHistory } from './server-history.ts';

/** What is remembered of servers over restarts of this process. `registry` has it, `main` hands it in. */
export type MeshMemory = {
  /** Whether a user stopped it. */
  stopped(server: string): boolean;
  /** Standing replicas: the number that a user scaled it to, else the configured one. */
  replicas(server: string, configured: number): number;
  /**
   * What it offered when it was last ready; null where that is not known.
   * @param made what its containers were made of then (`fingerprintOf`); another program may offer something else
   */
  offers(server: string, made: string): Offers | null;
  /**
   * What its places had been through when the process before this one ended; null where nobody knows. Told once: it
   * is where the first pool of a server begins, and says nothing about later ones.
   * @param made as for `tools`: another program begins anew
   */
  history(server: string, made: string): ServerHistory | null;
};

/** For whoever starts without a past. */
export const NO_MEMORY: MeshMemory = {
  stopped: () => false,
  replicas: (_server, configured) => configured,
  offers: () => null,
  history: () => null,
};
