/** Numbers of the restart policy; all times in milliseconds. */
export type RestartPolicy = {
  /** Ceiling of the wait before the second restart; it doubles with every failure after that. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Ready for so long, and the failures before are forgotten. */
  readonly resetAfterMs: number;
  /** So many failures within `windowMs` are a crash loop. */
  readonly burst: number;
  readonly windowMs: number;
  /** Waits in a crash loop: the first, and the ceiling that doubling ends at. */
  readonly crashLoopDelayMs: number;
  readonly maxCrashLoopDelayMs: number;
};

/**
 * First restart at once, then 1 s doubling to 60 s, reset after 10 minutes: Kubernetes' CrashLoopBackOff with
 * its faster gate (1 s to 60 s), since an MCP server starts in well under a second. Five failures in five minutes
 * are a crash loop: systemd's five in ten seconds, with a window that the waits fit into (see `windowOf`). In a
 * crash loop one try a minute, slowing down to one in five minutes (Kubernetes' ceiling).
 */
export const defaultRestartPolicy: RestartPolicy = {
  baseDelayMs: 1000,
  maxDelayMs: 60_000,
  resetAfterMs: 600_000,
  burst: 5,
  windowMs: 300_000,
  crashLoopDelayMs: 60_000,
  maxCrashLoopDelayMs: 300_000,
};

/** What is known when a replica has failed. */
export type RestartFacts = {
  /** Now, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** When the replica failed lately, this failure included; no more than the last `burst` are needed. */
  readonly failureTimesMs: readonly number[];
  /** Failures in a row, this one included. */
  readonly consecutiveFailures: number;
  /** How long it was ready before this failure; 0 when it never was. */
  readonly readyForMs: number;
  /** Longest time that a start may take before it counts as failed (`timeouts.readyMs`). */
  readonly readyTimeoutMs: number;
  /** Whether the verdict on the failure before was `crash_loop`. */
  readonly inCrashLoop: boolean;
};

export type RestartVerdict =
  | { readonly action: 'restart'; readonly delayMs: number }
  /** `nextTryAt` in milliseconds since the epoch. */
  | { readonly action: 'crash_loop'; readonly nextTryAt: number };

/**
 * What to do about a failed replica. Decides only: whoever asks waits and acts.
 *
 * A crash loop does not end by its own waits: while the tries are minutes apart there are never five failures in
 * five minutes, and the verdict would flicker. It ends when the server was ready for a whole window.
 *
 * @param random 0 up to 1, without 1
 */
export function judgeFailure(
  facts: RestartFacts,
  random: () => number,
  policy: RestartPolicy = defaultRestartPolicy,
): RestartVerdict {
  if (facts.readyForMs >= policy.resetAfterMs) return { action: 'restart', delayMs: 0 };
  const windowMs = windowOf(facts.readyTimeoutMs, policy);
  const recent = facts.failureTimesMs.filter((at) => at > facts.nowMs - windowMs && at <= facts.nowMs);
  const stillLooping = facts.inCrashLoop && facts.readyForMs < windowMs;
  if (recent.length >= policy.burst || stillLooping) {
    return { action: 'crash_loop', nextTryAt: facts.nowMs + crashLoopDelay(facts, random, policy) };
  }
  return { action: 'restart', delayMs: restartDelay(facts.consecutiveFailures, random, policy) };
}

/**
 * The window that counts for a server: that of the policy, or longer for servers that may take long to start.
 * `burst` failures must fit into it, each as slow as a start may be and each after the longest wait possible by
 * then, or the crash loop is never found: systemd with `RestartSec` of 3 seconds never sees its five starts in
 * ten and loops for ever.
 */
export function windowOf(readyTimeoutMs: number, policy: RestartPolicy = defaultRestartPolicy): number {
  let slowestBurstMs = 0;
  for (let failures = 1; failures < policy.burst; failures++) {
    slowestBurstMs += delayCeiling(failures, policy) + readyTimeoutMs;
  }
  return Math.max(policy.windowMs, slowestBurstMs + 1);
}

/** What to remember between two failures of one replica. */
export type RestartHistory = Pick<RestartFacts, 'failureTimesMs' | 'consecutiveFailures' | 'inCrashLoop'>;

export const noFailures: RestartHistory = { failureTimesMs: [], consecutiveFailures: 0, inCrashLoop: false };

/** What still counts of the failures of a replica that has been ready for so long. */
export function stillCounting(
  history: RestartHistory,
  { readyForMs, readyTimeoutMs }: Pick<RestartFacts, 'readyForMs' | 'readyTimeoutMs'>,
  policy: RestartPolicy = defaultRestartPolicy,
): RestartHistory {
  if (readyForMs >= policy.resetAfterMs) return noFailures;
  return { ...history, inCrashLoop: history.inCrashLoop && readyForMs < windowOf(readyTimeoutMs, policy) };
}

/** Adds one failure to the history and judges it; the history stays as short as the policy allows. */
export function afterFailure(
  history: RestartHistory,
  failure: Pick<RestartFacts, 'nowMs' | 'readyForMs' | 'readyTimeoutMs'>,
  random: () => number,
  policy: RestartPolicy = defaultRestartPolicy,
): { readonly history: RestartHistory; readonly verdict: RestartVerdict } {
  const before = stillCounting(history, failure, policy);
  const facts = {
    ...failure,
    failureTimesMs: [...before.failureTimesMs, failure.nowMs].slice(-policy.burst),
    consecutiveFailures: before.consecutiveFailures + 1,
    inCrashLoop: before.inCrashLoop,
  };
  const verdict = judgeFailure(facts, random, policy);
  const { failureTimesMs, consecutiveFailures } = facts;
  return {
    history: { failureTimesMs, consecutiveFailures, inCrashLoop: verdict.action === 'crash_loop' },
    verdict,
  };
}

/** Full jitter: anything up to the ceiling, so that replicas that failed together do not return together. */
function restartDelay(consecutiveFailures: number, random: () => number, policy: RestartPolicy): number {
  return Math.floor(delayCeiling(consecutiveFailures, policy) * random());
}

function delayCeiling(consecutiveFailures: number, policy: RestartPolicy): number {
  if (consecutiveFailures <= 1) return 0;
  return Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (consecutiveFailures - 2));
}

/** At most a fifth less than the ceiling: full jitter could make a crash loop spin. */
function crashLoopDelay(
  { consecutiveFailures }: RestartFacts,
  random: () => number,
  policy: RestartPolicy,
): number {
  const doublings = Math.max(0, consecutiveFailures - policy.burst);
  const ceilingMs = Math.min(policy.maxCrashLoopDelayMs, policy.crashLoopDelayMs * 2 ** doublings);
  return Math.floor(ceilingMs * (1 - random() / 5));
}
