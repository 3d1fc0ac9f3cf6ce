/** Numbers of the scaling policy; all times in milliseconds. */
export type ScalingPolicy = {
  /** How often the load is looked at. */
  readonly everyMs: number;
  /** Load is averaged over so long: one burst of a moment starts no container. */
  readonly averageMs: number;
  /** Within this share of the target nothing changes. */
  readonly tolerance: number;
  /** In one `rateMs` at most so many more, or so many times as many, whichever is more. */
  readonly upBy: number;
  readonly upTimes: number;
  readonly rateMs: number;
  /** Where a replica takes only so many calls at once, this share of them is aimed at. */
  readonly utilization: number;
};

/**
 * Kubernetes' HorizontalPodAutoscaler, whose defaults are: tolerance 10 %, up by four pods or 100 % in 15 s without
 * a stabilisation window, down to the highest recommendation of the last 300 s (`scaleDownAfterMs` of a server).
 * It looks every 15 s, because its metrics are no younger; ours are read in this process, so every second. The
 * average over six seconds is the panic window of Knative's autoscaler, which scales on calls in flight as well and aims
 * at 70 % of what a replica takes at once.
 */
export const defaultScalingPolicy: ScalingPolicy = {
  everyMs: 1000,
  averageMs: 6000,
  tolerance: 0.1,
  upBy: 4,
  upTimes: 2,
  rateMs: 15_000,
  utilization: 0.7,
};

/** What is remembered between two looks at one pool. */
export type ScalingHistory = {
  readonly loads: readonly { readonly atMs: number; readonly load: number }[];
  /** How many replicas the load asked for, while that still counts. */
  readonly wanted: readonly { readonly atMs: number; readonly replicas: number }[];
  /** How many there were, for the rate of growth. */
  readonly counts: readonly { readonly atMs: number; readonly replicas: number }[];
};

export const noScaling: ScalingHistory = { loads: [], wanted: [], counts: [] };

export type ScalingFacts = {
  /** Now, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Replicas that are desired at present. */
  readonly current: number;
  readonly min: number;
  readonly max: number;
  /** Calls in flight on all replicas, and those that wait for one. */
  readonly load: number;
  /** Calls for each replica that is aimed at; more than 0. */
  readonly target: number;
  /** So long fewer replicas must have been enough before some are ended. */
  readonly scaleDownAfterMs: number;
};

/**
 * How many replicas a pool should have. Decides only: whoever asks remembers the history and acts.
 * Never outside `min` to `max`, whatever the load.
 */
export function judgeLoad(
  history: ScalingHistory,
  facts: ScalingFacts,
  policy: ScalingPolicy = defaultScalingPolicy,
): { readonly history: ScalingHistory; readonly replicas: number } {
  const { nowMs, current, min, max, load, scaleDownAfterMs } = facts;
  const since = (ms: number) => (entry: { readonly atMs: number }) => entry.atMs > nowMs - ms;
  const loads = [...history.loads.filter(since(policy.averageMs)), { atMs: nowMs, load }];
  const wanted = [
    ...history.wanted.filter(since(scaleDownAfterMs)),
    { atMs: nowMs, replicas: clamp(wantedNow(loads, facts, policy), min, max) },
  ];
  const counts = [...history.counts.filter(since(policy.rateMs)), { atMs: nowMs, replicas: current }];
  const latest = wanted.at(-1)?.replicas ?? current;
  const highest = Math.max(...wanted.map(({ replicas }) => replicas));
  // Up at once for what is asked now; down only to what nothing in the window asked for more than.
  const stable = latest >= current ? latest : Math.min(current, Math.max(highest, latest));
  const before = Math.min(...counts.map(({ replicas }) => replicas));
  const ceiling = Math.max(before + policy.upBy, before * policy.upTimes);
  const replicas = clamp(Math.min(stable, Math.max(ceiling, current)), min, max);
  return { history: { loads, wanted, counts }, replicas };
}

function wantedNow(
  loads: ScalingHistory['loads'],
  { current, target }: ScalingFacts,
  { tolerance }: ScalingPolicy,
): number {
  const average = loads.reduce((sum, { load }) => sum + load, 0) / loads.length;
  const ratio = average / (Math.max(1, current) * target);
  return Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(average / target);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
