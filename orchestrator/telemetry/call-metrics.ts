import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Fact } from '../kernel/index.ts';
import { firstValues, mcpMethodLabel } from './bounded-labels.ts';
import { counterIn } from './counter-in.ts';
import { HotCounter, HotHistogram } from './hot-metrics.ts';

type CallFact = Extract<Fact, { type: `call.${string}` | 'replica.picked' }>;

/** In seconds: from a fast echo to the default ceiling of a call's silence. */
export const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15, 60];
/** Replicas of pools have numbers, which servers that come and go over the API could use up. */
const MAX_REPLICA_LABELS = 2000;

/** What becomes of calls, and who gets them. Labels are servers, words of a fixed list, and the first so many replicas. */
export function callMetrics(registry: Registry): (fact: CallFact) => void {
  const counter = counterIn(registry);
  const calls = new HotHistogram(registry, {
    name: 'gantry_call_duration_seconds',
    help: 'Calls to MCP servers, from written to answered',
    labelNames: ['server', 'method', 'outcome'],
    buckets: CALL_BUCKETS,
  });
  const callsTotal = new HotCounter(registry, {
    name: 'gantry_calls_total',
    help: 'Calls to MCP servers',
    labelNames: ['server', 'method', 'outcome'],
  });
  const waiting = new Gauge({
    name: 'gantry_queue_length',
    help: 'Calls that wait for a replica',
    labelNames: ['server'],
    registers: [registry],
  });
  const waits = new Histogram({
    name: 'gantry_queue_wait_seconds',
    help: 'How long calls waited for a replica, by how that ended',
    labelNames: ['server', 'outcome'],
    buckets: CALL_BUCKETS,
    registers: [registry],
  });
  const queued = counter('gantry_calls_queued_total', 'Calls that had to wait for a replica', ['server']);
  const refused = counter('gantry_calls_refused_total', 'Calls that no replica got', ['server', 'why']);
  const retried = counter('gantry_retries_total', 'Calls sent again', ['server', 'why']);
  const notRetried = counter('gantry_retries_refused_total', 'Calls not sent again', ['server', 'why']);
  const picks = new HotCounter(registry, {
    name: 'gantry_picks_total',
    help: 'Calls given to each replica of a pool',
    labelNames: ['server', 'replica'],
  });
  const replicaWord = firstValues(MAX_REPLICA_LABELS);
  return (fact) => {
    switch (fact.type) {
      case 'call.ended': {
        const method = mcpMethodLabel(fact.method);
        callsTotal.inc(fact.server, method, fact.outcome);
        return calls.observe(fact.durationMs / 1000, fact.server, method, fact.outcome);
      }
      case 'call.waiting':
        queued.inc({ server: fact.server });
        return waiting.inc({ server: fact.server });
      case 'call.waited':
        waiting.dec({ server: fact.server });
        return waits.observe({ server: fact.server, outcome: fact.outcome }, fact.waitMs / 1000);
      case 'call.refused':
        return refused.inc({ server: fact.server, why: fact.why });
      case 'call.retried':
        return retried.inc({ server: fact.server, why: fact.why });
      case 'call.not_retried':
        return notRetried.inc({ server: fact.server, why: fact.why });
      case 'replica.picked':
        return picks.inc(fact.server, replicaWord(fact.replica));
    }
  };
}
