import type { Reason } from '../kernel/index.ts';
import type { BreakerHistory, RestartHistory } from '../resilience/index.ts';
import { replicaNumber } from './labels.ts';
import type { NextTry } from './restart-plan.ts';

/** What one place of a pool has been through, so that the next process can go on with it. */
export type PlaceHistory = {
  readonly breaker: BreakerHistory;
  readonly failures: RestartHistory;
  /** The try that it waits for because its processes died; null where it waits for none. */
  readonly waiting: NextTry | null;
};

/** What the starts for sessions of a server have been through. */
export type StartsHistory = { readonly breaker: BreakerHistory; readonly lastFailure: Reason | null };

/** Of one server; its places by their number, which is the same in every revision. */
export type ServerHistory = {
  readonly places: Readonly<Record<string, PlaceHistory>>;
  readonly starts: StartsHistory;
};

/** Of the places that there are, and of the starts for sessions. Without stderr: it may hold secrets, so it is written nowhere. */
export function historyOf(
  slots: readonly { readonly id: string; readonly history: PlaceHistory }[],
  { breaker, lastFailure }: StartsHistory,
): ServerHistory {
  const places = slots.map(({ id, history }) => {
    const { waiting } = history;
    const quiet = waiting && { ...waiting, reason: { ...waiting.reason, stderr: [] } };
    return [replicaNumber(id), { ...history, waiting: quiet }] as const;
  });
  const lastQuiet = lastFailure && { ...lastFailure, stderr: [] };
  return { places: Object.fromEntries(places), starts: { breaker, lastFailure: lastQuiet } };
}
