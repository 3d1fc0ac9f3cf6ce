import type { Clock, Facts, Signal } from '../kernel/index.ts';
import type { CallOptions, Replica } from '../replica/index.ts';
import type { Pools } from './pools.ts';

export type RouterOptions = {
  readonly pools: Pools;
  readonly clock: Clock;
  readonly facts: Facts;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Why a server that there is no pool of is configured and not run; null for all others. */
  readonly disabled?: (server: string) => string | null;
};

export type LeaseOptions = {
  /** Which of the principal's sessions: they take turns where calls wait. */
  readonly session?: string;
  /** Withdraws the call, also while it waits. */
  readonly signal?: Signal;
};

export type RoutedCallOptions = LeaseOptions &
  Pick<CallOptions, 'onMessage' | 'onSent'> & {
    /** Told of each replica that gets the call, before it does. */
    readonly onReplica?: (replica: Replica) => void;
    /** How often it is tried in all, in place of the server's own `retries.attempts`. */
    readonly attempts?: number;
    /** Awaited when a replica was found, before anything is written to it. What it throws ends the call unsent. */
    readonly beforeSend?: () => Promise<void>;
  };

export type CallRequest = { readonly method: string; readonly params: Record<string, unknown> | undefined };
