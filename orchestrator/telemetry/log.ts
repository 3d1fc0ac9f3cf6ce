import pino, { type DestinationStream } from 'pino';
import type { Clock, Fact, Facts } from '../kernel/index.ts';
import { LineBudget } from './line-budget.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export type Log = {
  /** Stops listening and writes out what is buffered. */
  close(): void;
};

/** Lines per replica or place and per window, for what foreign code can cause at will. */
const BUDGET = { perWindow: 20, windowMs: 10_000 };
/** Longer text is cut: one line must not fill the log. */
const MAX_TEXT = 2_000;
/** What may wait while the reader of our output hangs; beyond it pino drops rather than blocks the event loop. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/**
 * Writes facts as JSON lines. What a server says on stderr may hold secrets, so it is logged at `debug` only,
 * also where it is part of a reason; the API shows it to those who may ask.
 */
export function logFacts(
  facts: Facts,
  options: { readonly level: LogLevel; readonly clock: Clock; readonly destination?: DestinationStream },
): Log {
  const buffered =
    options.destination === undefined
      ? pino.destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES })
      : null;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? buffered ?? process.stdout,
  );
  const budget = new LineBudget({ ...BUDGET, now: () => options.clock.now() });

  const listener = (fact: Fact): void => {
    const level = levelOf(fact);
    if (!logger.isLevelEnabled(level)) return;
    const key = budgetKey(fact);
    const { allowed, suppressed } = key === null ? { allowed: true, suppressed: 0 } : budget.spend(key);
    if (!allowed) return;
    const { type, ...fields } = fact;
    logger[level]({ fact: type, ...shown(fields), ...(suppressed > 0 ? { suppressed } : {}) });
  };
  const stop = facts.listen(listener, (type) => !ONLY_DEBUG.has(type) || logger.isLevelEnabled('debug'));
  return {
    close() {
      stop();
      buffered?.flushSync();
    },
  };
}

/** Of every call, and never more than that. */
const ONLY_DEBUG: ReadonlySet<Fact['type']> = new Set([
  'replica.picked',
  'call.waiting',
  'call.waited',
  'call.ended',
]);

function levelOf(fact: Fact): 'debug' | 'info' | 'warn' | 'error' {
  switch (fact.type) {
    case 'trouble':
      return 'error';
    case 'engine.state':
      return fact.state === 'down' ? 'error' : 'info';
    case 'server.state':
      return fact.state === 'failed' ? 'warn' : 'info';
    case 'replica.state':
      return fact.state === 'failed' ? 'warn' : 'debug';
    case 'breaker.state':
      return fact.state === 'open' ? 'warn' : 'debug';
    case 'replica.health':
      return fact.health === 'unresponsive' ? 'warn' : 'info';
    case 'breaker.spared':
    case 'replica.restart':
    case 'line.dropped':
    case 'call.refused':
    case 'call.retried':
    case 'call.not_retried':
      return 'warn';
    case 'http.request':
      return fact.status >= 500 ? 'warn' : 'debug';
    case 'memory.refused':
    case 'task.refused':
    case 'task.taken_over':
      return 'warn';
    case 'task.ended':
      return fact.outcome === 'done' || fact.outcome === 'failed' ? 'debug' : 'warn';
    case 'task.revived':
      return 'info';
    case 'task.enqueued':
    case 'task.retried':
    case 'task.backlog':
      return 'debug';
    case 'pool.scaled':
    case 'image.build':
    case 'container.removed':
    case 'config.applied':
    case 'rollout.started':
    case 'rollout.shifted':
      return 'info';
    case 'config.reload':
      return fact.outcome === 'refused' ? 'warn' : 'info';
    case 'rollout.ended':
      return fact.outcome === 'rolled_back' ? 'warn' : 'info';
    case 'server.offers':
    case 'server.left_out':
    case 'spare.count':
    case 'spare.used':
    case 'replica.rest':
    case 'memory.committed':
    case 'replica.stderr':
    case 'replica.probe':
    case 'replica.picked':
    case 'call.waiting':
    case 'call.waited':
    case 'call.ended':
    case 'session.opened':
    case 'session.restored':
    case 'session.closed':
      return 'debug';
  }
}

/** Facts with one budget together, or null for facts that only our own doing can multiply. */
function budgetKey(fact: Fact): string | null {
  switch (fact.type) {
    case 'replica.stderr':
    case 'line.dropped':
    case 'breaker.spared':
      return `${fact.type} ${fact.server} ${fact.replica}`;
    case 'call.refused':
    case 'call.retried':
    case 'call.not_retried':
      return `${fact.type} ${fact.server}`;
    case 'task.refused':
    case 'task.taken_over':
    case 'task.ended':
      return fact.type;
    case 'trouble':
      return `${fact.type} ${fact.where}`;
    default:
      return null;
  }
}

/** Long text cut, and reasons without the lines of stderr. */
function shown(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (typeof value === 'string' && value.length > MAX_TEXT) return [name, `${value.slice(0, MAX_TEXT)}…`];
      if (name === 'reason' && typeof value === 'object' && value !== null) {
        const { stderr: _kept, ...reason } = value as Record<string, unknown>;
        return [name, shown(reason)];
      }
      return [name, value];
    }),
  );
}
