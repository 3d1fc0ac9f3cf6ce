import type { Reason } from './reason.ts';
import type { DeadReason } from './task.ts';
import type { BreakerState, ToolDifference } from './views.ts';

/**
 * Why a breaker opened: calls in a row that failed or timed out, their share, a process that is over, one that
 * answers no probe, a replacement that failed its first probe.
 */
export type TripCause = 'consecutive' | 'ratio' | 'dead' | 'unresponsive' | 'probe';

/**
 * Everything that happens and that somebody may want to count, log or show. Rooms state facts; telemetry
 * listens. Add a fact here first, then state it where it happens (CONTRIBUTING.md, "add a fact").
 */
export type Fact =
  | {
      readonly type: 'server.state';
      readonly server: string;
      readonly state: string;
      readonly reason: Reason | null;
    }
  | {
      readonly type: 'replica.state';
      readonly server: string;
      readonly replica: string;
      readonly state: string;
      readonly reason: Reason | null;
    }
  | {
      readonly type: 'replica.restart';
      readonly server: string;
      readonly replica: string;
      readonly delayMs: number;
    }
  | {
      readonly type: 'replica.stderr';
      readonly server: string;
      readonly replica: string;
      readonly line: string;
    }
  /** A line on stdout that was not usable; it is never repaired (`why` is a short stable word). */
  | {
      readonly type: 'line.dropped';
      readonly server: string;
      readonly replica: string;
      readonly why: string;
      readonly count: number;
    }
  | {
      readonly type: 'call.ended';
      readonly server: string;
      readonly method: string;
      readonly outcome: 'ok' | 'rpc_error' | 'failed' | 'timeout' | 'cancelled';
      readonly durationMs: number;
    }
  /** `guards: calls` is the breaker of one replica's place, `starts` that of a server's starts (`replica` is null). */
  | {
      readonly type: 'breaker.state';
      readonly server: string;
      readonly replica: string | null;
      readonly guards: 'calls' | 'starts';
      /** `gone`: what it guarded is no more. */
      readonly state: BreakerState | 'gone';
      /** Why it opened; null on other changes. */
      readonly cause: TripCause | null;
    }
  /** It would have opened, but too much of its pool is out already. */
  | {
      readonly type: 'breaker.spared';
      readonly server: string;
      readonly replica: string;
      readonly cause: TripCause;
    }
  | {
      readonly type: 'replica.probe';
      readonly server: string;
      readonly replica: string;
      readonly answered: boolean;
      readonly durationMs: number;
    }
  /** What probes say of a replica, where that has changed. */
  | {
      readonly type: 'replica.health';
      readonly server: string;
      readonly replica: string;
      readonly health: 'healthy' | 'unresponsive';
    }
  /** What a server lists has become known, or has changed. */
  | { readonly type: 'server.offers'; readonly server: string }
  /** A list of several servers had to do without this one. */
  | { readonly type: 'server.left_out'; readonly server: string; readonly why: string }
  /** A call of a pool was given to this replica. */
  | { readonly type: 'replica.picked'; readonly server: string; readonly replica: string }
  /** A call waits for a replica; `call.waited` says how that ended. */
  | { readonly type: 'call.waiting'; readonly server: string }
  | {
      readonly type: 'call.waited';
      readonly server: string;
      /** `evicted`: it gave its place in a full queue to a caller who had fewer. */
      readonly outcome: 'served' | 'timed_out' | 'cancelled' | 'evicted';
      readonly waitMs: number;
    }
  /** No replica got the call. */
  | {
      readonly type: 'call.refused';
      readonly server: string;
      readonly why: 'queue_full' | 'queue_timeout' | 'no_replica';
    }
  /** A call failed and is tried again: nothing of it was sent, or it may run twice. */
  | {
      readonly type: 'call.retried';
      readonly server: string;
      readonly method: string;
      readonly why: 'not_sent' | 'read_only' | 'idempotent';
    }
  /** A call failed and was not tried again. */
  | {
      readonly type: 'call.not_retried';
      readonly server: string;
      readonly method: string;
      readonly why: 'may_have_run' | 'attempts' | 'budget';
    }
  | { readonly type: 'session.opened'; readonly server: string }
  /** One that an earlier start of the orchestrator had goes on. */
  | { readonly type: 'session.restored'; readonly server: string }
  | { readonly type: 'session.closed'; readonly server: string; readonly why: string }
  | {
      readonly type: 'image.build';
      readonly server: string;
      readonly image: string;
      readonly cached: boolean;
      readonly durationMs: number;
    }
  /** The number of standing replicas that is wanted has changed. */
  | {
      readonly type: 'pool.scaled';
      readonly server: string;
      readonly from: number;
      readonly to: number;
      readonly why: 'load' | 'quiet' | 'asked';
    }
  /** How many spares of a server wait. */
  | { readonly type: 'spare.count'; readonly server: string; readonly waiting: number }
  /** Somebody could use a spare: one that was greeted already, one that had been started, or none fitted. */
  | {
      readonly type: 'spare.used';
      readonly server: string;
      readonly outcome: 'greeted' | 'started' | 'none';
    }
  /** A step on the idle ladder, down or up. */
  | {
      readonly type: 'replica.rest';
      readonly server: string;
      readonly replica: string;
      readonly step: 'paused' | 'stopped' | 'resumed' | 'started';
    }
  /** The memory limits of all containers that run, and what they may be together; null while that is not known. */
  | {
      readonly type: 'memory.committed';
      readonly committedBytes: number;
      readonly budgetBytes: number | null;
    }
  /** A container was not started, because the memory budget does not allow it. */
  | {
      readonly type: 'memory.refused';
      readonly server: string;
      readonly claimant: 'standing' | 'session' | 'spare';
      readonly neededBytes: number;
      readonly freeBytes: number;
    }
  | { readonly type: 'container.removed'; readonly containerId: string; readonly why: string }
  | {
      readonly type: 'http.request';
      readonly method: string;
      readonly route: string;
      readonly status: number;
      readonly durationMs: number;
    }
  | { readonly type: 'engine.state'; readonly state: 'up' | 'down'; readonly message: string }
  | {
      readonly type: 'config.applied';
      readonly added: number;
      readonly changed: number;
      readonly removed: number;
    }
  /** gantry.yaml was read again; `problems` are lines such as `gantry.yaml:3:5 servers.x.args: must be a list`. */
  | {
      readonly type: 'config.reload';
      readonly trigger: 'watch' | 'api';
      readonly outcome: 'applied' | 'unchanged' | 'refused';
      readonly problems: readonly string[];
      readonly settingsChanged: boolean;
    }
  | { readonly type: 'rollout.started'; readonly server: string; readonly mode: 'beside' | 'stop_first' }
  /** New traffic goes to the new replicas from now on. */
  | { readonly type: 'rollout.shifted'; readonly server: string; readonly tools: ToolDifference | null }
  | {
      readonly type: 'rollout.ended';
      readonly server: string;
      readonly outcome: 'done' | 'rolled_back' | 'superseded';
      readonly reason: Reason | null;
    }
  /** Tasks were taken into a topic. */
  | { readonly type: 'task.enqueued'; readonly topic: string; readonly count: number }
  /** Tasks were not taken: the bus is full. */
  | { readonly type: 'task.refused'; readonly topic: string; readonly count: number }
  /** A task waits for its next attempt. `refused`: nobody could take it; `failed`: it failed and may run twice. */
  | {
      readonly type: 'task.retried';
      readonly topic: string;
      readonly why: 'refused' | 'failed';
      readonly delayMs: number;
    }
  /** The consumer of a task was not heard of any more, another has it now. */
  | { readonly type: 'task.taken_over'; readonly topic: string }
  | {
      readonly type: 'task.ended';
      readonly topic: string;
      readonly task: string;
      readonly outcome: 'done' | 'failed' | DeadReason;
      /** Since it was due. */
      readonly durationMs: number;
    }
  /** How many tasks of all topics wait or are executed, and how many are dead letters. */
  | { readonly type: 'task.backlog'; readonly pending: number; readonly dead: number }
  /** A dead letter was put back or thrown away. */
  | { readonly type: 'task.revived'; readonly topic: string; readonly how: 'replayed' | 'discarded' }
  | { readonly type: 'trouble'; readonly where: string; readonly message: string };
