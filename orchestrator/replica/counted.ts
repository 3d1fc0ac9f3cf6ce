import { type Clock, type Fact, type Facts, GantryError, type JsonRpcOutcome } from '../kernel/index.ts';
import type { Breaker } from '../resilience/index.ts';
import { isUnreachable } from './replica-errors.ts';

/** What a replica tells its breaker, and asks it. */
export type CallBreaker = Pick<Breaker, 'state' | 'record'>;

export type CountedCall = {
  readonly server: string;
  readonly method: string;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly breaker: CallBreaker;
};

type CallOutcome = Extract<Fact, { type: 'call.ended' }>['outcome'];

/**
 * The same call, its end stated as a fact and told the breaker. An error of the server is an answer. A timeout is a
 * failure. A call that was cancelled, or refused by Gantry itself, says nothing about the process; one whose process
 * is over neither, since that trips by itself; but one that did not get through to a server elsewhere does.
 */
export function counted(call: Promise<JsonRpcOutcome>, about: CountedCall): Promise<JsonRpcOutcome> {
  const { server, method, clock, facts, breaker } = about;
  const startedAt = clock.now();
  const ended = (outcome: CallOutcome): void =>
    facts.state({ type: 'call.ended', server, method, outcome, durationMs: clock.now() - startedAt });
  return call.then(
    (outcome) => {
      breaker.record('success');
      ended(outcome.ok ? 'ok' : 'rpc_error');
      return outcome;
    },
    (error: unknown) => {
      const code = error instanceof GantryError ? error.code : 'internal';
      if (code === 'call_timeout' || isUnreachable(error)) breaker.record('failure');
      ended(code === 'call_timeout' ? 'timeout' : code === 'cancelled' ? 'cancelled' : 'failed');
      throw error;
    },
  );
}
