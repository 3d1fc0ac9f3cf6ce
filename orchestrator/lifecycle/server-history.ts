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

/** Of the places that there are, and of the starts for sessions. */
export function historyOf(
  slots: readonly { readonly id: string; readonly history: PlaceHistory }[],
  starts: StartsHistory,
): ServerHistory {
  return { places: Object.fromEntries(slots.map(({ id, history }) => [replicaNumber(id), history])), starts };
}
