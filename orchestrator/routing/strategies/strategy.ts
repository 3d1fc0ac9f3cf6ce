/** A replica as a strategy sees it. The object stays the same for the life of the replica. */
export type Choice = {
  /** Stable over restarts: the place in the pool. */
  readonly id: string;
  /** Calls it has now: those on the way to it and those it works on. */
  readonly callsInFlight: number;
  /** Its share beside others, above 0: 1, less while it starts slowly, more where the configuration says so. */
  readonly weight: number;
  /** What a call takes there as far as is known now, milliseconds; null before the first. */
  readonly latencyMs: number | null;
};

export type PickContext = {
  /** Who calls. */
  readonly principal: string;
};

/** Which of several replicas gets a call. Looks at what it is given and at nothing else; takes linear time at most. */
export type Strategy<T extends Choice = Choice> = {
  /** @returns null where there is none to choose from. */
  pick(choices: readonly T[], context: PickContext): T | null;
};
