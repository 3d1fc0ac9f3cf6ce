const MiB = 1024 ** 2;

/** The engine, a shim for every container and the page cache of images need some; a small engine cannot spare so much. */
const RESERVE_BYTES = 512 * MiB;
const RESERVE_SHARE = 0.25;

/**
 * A limit is a ceiling, not a use: MCP servers idle at a third of the default of 256 MiB and less. So twice as much
 * may be promised as is there, as Kubernetes does, which schedules by requests and lets limits exceed the node. The
 * default catalogue (six replicas) and twenty sessions of 256 MiB, 6.5 GiB of limits, fit an engine of 4 GiB that way:
 * its budget is 7 GiB. Where all use their limits at once the kernel ends one of them, which is seen as `oom` and repaired.
 */
const OVERCOMMIT = 2;

/** The memory limits that may run together on an engine of so much memory, where the configuration does not say. */
export function defaultMemoryBudget(engineBytes: number): number {
  const reserve = Math.min(RESERVE_BYTES, engineBytes * RESERVE_SHARE);
  return Math.floor((engineBytes - reserve) * OVERCOMMIT);
}

/** Who asks for memory. Standing replicas go first: they were configured; spares last: nobody waits for one. */
export type Claimant = 'standing' | 'session' | 'spare';

export type MemoryFacts = {
  /** Null while the engine has not been asked yet: then everything fits. */
  readonly budgetBytes: number | null;
  /** The limits of all containers that run or are being started. */
  readonly committedBytes: number;
  /** What standing replicas wait for. */
  readonly awaitedBytes: number;
  readonly neededBytes: number;
  readonly claimant: Claimant;
  /** Somebody was refused a moment ago. */
  readonly isTight: boolean;
};

/**
 * Whether another container may be started. A session does not take what a standing replica waits for, and no spare
 * is made while others are refused.
 * @returns what is free for this claimant, and whether that is enough
 */
export function judgeMemory(facts: MemoryFacts): { readonly fits: boolean; readonly freeBytes: number } {
  const { budgetBytes, committedBytes, awaitedBytes, neededBytes, claimant, isTight } = facts;
  if (budgetBytes === null) return { fits: true, freeBytes: Number.POSITIVE_INFINITY };
  const kept = claimant === 'standing' ? 0 : awaitedBytes;
  const freeBytes = Math.max(0, budgetBytes - committedBytes - kept);
  return { fits: neededBytes <= freeBytes && !(claimant === 'spare' && isTight), freeBytes };
}
