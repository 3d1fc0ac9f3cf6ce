import type { Offers } from '../kernel/index.ts';

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
};

/** For whoever starts without a past. */
export const NO_MEMORY: MeshMemory = {
  stopped: () => false,
  replicas: (_server, configured) => configured,
  offers: () => null,
};
