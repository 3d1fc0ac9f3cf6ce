import { type Facts, GantryError, type Retries, type ServerSpec, type ToolView } from '../kernel/index.ts';
import type { CallOptions, Replica, ServerMessage } from '../replica/index.ts';
import { type RetryBudget, retryVerdict } from '../resilience/index.ts';
import type { Lease } from './lease.ts';
import type { RoutedCallOptions } from './router-options.ts';

export type AttemptOptions<T> = {
  readonly server: string;
  readonly request: { readonly method: string; readonly params: Record<string, unknown> | undefined };
  readonly limits: Retries;
  readonly budget: RetryBudget;
  readonly facts: Facts;
  /** What the server listed last. */
  readonly tools: () => readonly ToolView[];
  /** At once where nothing is waited for. @param failed the replicas that have failed this call; none at the first try. */
  readonly lease: (failed: ReadonlySet<Replica>) => Lease | Promise<Lease>;
  readonly send: (replica: Replica) => Promise<T>;
};

/**
 * One call, sent to another replica when the first one fails and the call may be sent again: by `retryVerdict`, within
 * `retries.attempts` and the budget of the server.
 * @throws as `lease` and `send`; the first failure, where no replica could be had for the next try
 */
export async function attempt<T>(options: AttemptOptions<T>): Promise<T> {
  let failed: ReadonlySet<Replica> = NONE;
  let failure: unknown = null;
  options.budget.deposit();
  for (;;) {
    const found = leaseFor(options, failed, failure);
    const lease = found instanceof Promise ? await found : found;
    let answered = false;
    try {
      const answer = await options.send(lease.replica);
      answered = true;
      return answer;
    } catch (error) {
      // A replica that takes too long is slow; one that has failed is not quick.
      answered = error instanceof GantryError && error.code === 'call_timeout';
      failed = new Set([...failed, lease.replica]);
      if (!isRetried(options, error, failed.size)) throw told(error, failed.size);
      failure = error;
    } finally {
      lease.done(answered);
    }
  }
}

const NONE: ReadonlySet<Replica> = new Set();

function leaseFor(
  { lease }: AttemptOptions<unknown>,
  failed: ReadonlySet<Replica>,
  failure: unknown,
): Lease | Promise<Lease> {
  const none = (error: unknown): never => {
    const isCancelled = error instanceof GantryError && error.code === 'cancelled';
    throw failure === null || isCancelled ? error : told(failure, failed.size);
  };
  try {
    const found = lease(failed);
    return found instanceof Promise ? found.catch(none) : found;
  } catch (error) {
    return none(error);
  }
}

function isRetried(options: AttemptOptions<unknown>, error: unknown, attempts: number): boolean {
  const { server, request, limits, budget, facts, tools } = options;
  const { method } = request;
  const verdict = retryVerdict(error, request, tools());
  if (verdict.why === 'not_a_failure') return false;
  const not = (why: 'may_have_run' | 'attempts' | 'budget'): boolean => {
    facts.state({ type: 'call.not_retried', server, method, why });
    return false;
  };
  if (!verdict.retry) return not(verdict.why);
  if (attempts >= limits.attempts) return not('attempts');
  if (!budget.withdraw(limits)) return not('budget');
  facts.state({ type: 'call.retried', server, method, why: verdict.why });
  return true;
}

/** The failure, with the number of tries where it was more than one. */
function told(error: unknown, attempts: number): unknown {
  if (attempts < 2 || !(error instanceof GantryError)) return error;
  const { code, message, detail, cause } = error;
  return new GantryError(code, message, { detail: { ...detail, attempts }, cause });
}

/**
 * Progress must increase (MCP, basic/utilities/progress), also where a second try begins it again: what the caller has
 * seen already is left out.
 */
export function risingProgress(deliver: (message: ServerMessage) => void): (message: ServerMessage) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (message) => {
    const progress = message.params?.progress;
    if (message.method === 'notifications/progress' && typeof progress === 'number') {
      if (progress <= last) return;
      last = progress;
    }
    deliver(message);
  };
}

/** What each try of a call is sent with. */
export function callOptionsOf(
  { timeouts }: ServerSpec,
  { signal, onMessage, onSent }: RoutedCallOptions,
): CallOptions {
  const { callTimeoutMs, maxCallMs } = timeouts;
  const rising = onMessage === undefined ? undefined : risingProgress(onMessage);
  return { callTimeoutMs, maxCallMs, signal, onSent, onMessage: rising };
}
