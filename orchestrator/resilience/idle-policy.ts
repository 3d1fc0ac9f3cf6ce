/** How deep a pool that nobody uses sleeps. */
export type Rest = 'awake' | 'paused' | 'stopped';

export type IdleFacts = {
  /** A call is in flight, or a stream, a subscription or a task is open. */
  readonly busy: boolean;
  /** How long nobody has used it, in milliseconds. */
  readonly idleForMs: number;
  readonly rest: Rest;
  /** Null is never. */
  readonly pauseAfterMs: number | null;
  readonly stopAfterMs: number | null;
};

/**
 * The idle ladder: ready, paused, stopped; one step after the other, never back: what wakes a pool is a call. A
 * paused container keeps its memory and is back within milliseconds, a stopped one gives it back and is started anew
 * (Knative and other platforms that scale to zero know only the second step).
 * @returns what it should be, and after how many milliseconds to ask again; null where only a call changes anything.
 */
export function judgeIdle(facts: IdleFacts): { readonly rest: Rest; readonly askAgainMs: number | null } {
  const { busy, idleForMs, pauseAfterMs, stopAfterMs } = facts;
  const steps: { rest: Rest; afterMs: number }[] = [];
  if (pauseAfterMs !== null) steps.push({ rest: 'paused', afterMs: pauseAfterMs });
  if (stopAfterMs !== null) steps.push({ rest: 'stopped', afterMs: stopAfterMs });
  const idleMs = busy ? 0 : idleForMs;
  const due = steps.filter(({ afterMs }) => idleMs >= afterMs).at(-1)?.rest ?? 'awake';
  const rest = busy ? 'awake' : deeper(facts.rest, due);
  const next = steps.find((step) => isDeeper(step.rest, rest));
  return { rest, askAgainMs: next === undefined ? null : Math.max(1, next.afterMs - idleMs) };
}

const DEPTH: Readonly<Record<Rest, number>> = { awake: 0, paused: 1, stopped: 2 };

/** Whether a pool at rest `a` sleeps more deeply than one at `b`. */
export function isDeeper(a: Rest, b: Rest): boolean {
  return DEPTH[a] > DEPTH[b];
}

function deeper(a: Rest, b: Rest): Rest {
  return isDeeper(b, a) ? b : a;
}
