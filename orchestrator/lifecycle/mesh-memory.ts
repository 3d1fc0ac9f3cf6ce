import type { ToolView } from '../kernel/index.ts';

/** What is remembered of servers over restarts of this process. `registry` has it, `main` hands it in. */
export type MeshMemory = {
  /** Whether a user stopped it. */
  stopped(server: string): boolean;
  /** Standing replicas: the number that a user scaled it to, else the configured one. */
  replicas(server: string, configured: number): number;
  /**
   * The tools it listed when it was last ready.
   * @param made what its containers were made of then (`fingerprintOf`); another program may have other tools
   */
  tools(server: string, made: string): readonly ToolView[];
};

/** For whoever starts without a past. */
export const NO_MEMORY: MeshMemory = {
  stopped: () => false,
  replicas: (_server, configured) => configured,
  tools: () => [],
};
