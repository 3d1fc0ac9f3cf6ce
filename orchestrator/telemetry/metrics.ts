import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Fact, Facts } from '../kernel/index.ts';
import { firstValues, httpMethodLabel, mcpMethodLabel } from './bounded-labels.ts';
import { breakerCounters } from './breaker-metrics.ts';
import { measureEventLoopDelay } from './event-loop-delay.ts';
import { HotCounter, HotHistogram } from './hot-metrics.ts';
import { ReplicaCensus } from './replica-census.ts';
import { scalingMetrics } from './scaling-metrics.ts';
import { taskMetrics } from './task-metrics.ts';

export type FactMetrics = {
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Stops listening and measuring. */
  close(): void;
};

/** From a fast echo to the default ceiling of a call's silence. */
const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15, 60];
const BUILD_BUCKETS = [0.1, 1, 5, 15, 30, 60, 120, 300, 600];
/** Words that rooms write themselves; more of them than this would be a mistake, not a need. */
const MAX_WORDS = 40;
/** Replicas of pools have numbers, which servers that come and go over the API could use up. */
const MAX_REPLICA_LABELS = 2000;

/**
 * Counts facts, for Prometheus. Every label is bounded: servers by the configuration, routes by their patterns,
 * methods by a list, words by number.
 */
export function countFacts(facts: Facts): FactMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'gantry_' });
  const stopDelay = measureEventLoopDelay(registry);
  const stops = [facts.listen(counters(registry)), facts.listen(breakerCounters(registry))];
  return {
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    close() {
      for (const stop of stops) stop();
      stopDelay();
      registry.clear();
    },
  };
}

function counters(registry: Registry): (fact: Fact) => void {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter<L>({ name, help, labelNames, registers });

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
    registers,
  });
  const waits = new Histogram({
    name: 'gantry_queue_wait_seconds',
    help: 'How long calls waited for a replica, by how that ended',
    labelNames: ['server', 'outcome'],
    buckets: CALL_BUCKETS,
    registers,
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
  const sessions = new Gauge({
    name: 'gantry_sessions_open',
    help: 'Sessions that are open',
    labelNames: ['server'],
    registers,
  });
  const sessionsClosed = counter('gantry_sessions_closed_total', 'Sessions that ended', ['server', 'why']);
  const offers = counter('gantry_server_offers_changed_total', 'Lists of servers that became others', [
    'server',
  ]);
  const leftOut = counter('gantry_servers_left_out_total', 'Lists of several servers without this one', [
    'server',
    'why',
  ]);
  const changes = counter('gantry_server_state_changes_total', 'What became of servers, and why', [
    'server',
    'state',
    'reason',
  ]);
  const restarts = counter('gantry_replica_restarts_total', 'Standing replicas started again', ['server']);
  const failures = counter('gantry_replica_failures_total', 'Replicas that failed', ['server', 'reason']);
  const dropped = counter('gantry_lines_dropped_total', 'Unusable lines on stdout', ['server', 'why']);
  const stderr = counter('gantry_stderr_lines_total', 'Lines on stderr', ['server']);
  const requests = new HotHistogram(registry, {
    name: 'gantry_http_request_duration_seconds',
    help: 'HTTP requests, from their headers to the end of the answer',
    labelNames: ['method', 'route'],
    buckets: CALL_BUCKETS,
  });
  const requestsTotal = new HotCounter(registry, {
    name: 'gantry_http_requests_total',
    help: 'HTTP requests',
    labelNames: ['method', 'route', 'status'],
  });
  const builds = new Histogram({
    name: 'gantry_image_build_duration_seconds',
    help: 'Images made ready',
    labelNames: ['server', 'cached'],
    buckets: BUILD_BUCKETS,
    registers,
  });
  const scaling = scalingMetrics(registry);
  const tasks = taskMetrics(registry);
  const removed = counter('gantry_containers_removed_total', 'Containers removed', ['why']);
  const applied = counter('gantry_config_applied_total', 'Configurations applied', []);
  const reloads = counter('gantry_config_reloads_total', 'Readings of gantry.yaml after the start', [
    'outcome',
  ]);
  const rollouts = counter('gantry_rollouts_total', 'Changes that replaced replicas', ['server', 'outcome']);
  const trouble = counter('gantry_trouble_total', 'Failures inside Gantry', ['where']);
  const engineUp = new Gauge({ name: 'gantry_engine_up', help: '1 while the engine answers', registers });
  const census = new ReplicaCensus();
  new Gauge({
    name: 'gantry_replicas',
    help: 'Replicas that live, by state',
    labelNames: ['server', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { server, state, count } of census.counts()) this.set({ server, state }, count);
    },
  });
  const closeWord = firstValues(MAX_WORDS);
  const leftOutWord = firstValues(MAX_WORDS);
  const dropWord = firstValues(MAX_WORDS);
  const removeWord = firstValues(MAX_WORDS);
  const placeWord = firstValues(200);
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
      case 'http.request': {
        const method = httpMethodLabel(fact.method);
        requestsTotal.inc(method, fact.route, String(fact.status));
        return requests.observe(fact.durationMs / 1000, method, fact.route);
      }
      case 'session.opened':
      case 'session.restored':
        return sessions.inc({ server: fact.server });
      case 'session.closed':
        sessionsClosed.inc({ server: fact.server, why: closeWord(fact.why) });
        return sessions.dec({ server: fact.server });
      case 'replica.state':
        if (fact.state === 'failed') {
          failures.inc({ server: fact.server, reason: fact.reason?.code ?? 'internal' });
        }
        return census.note(fact.server, fact.replica, fact.state);
      case 'replica.restart':
        return restarts.inc({ server: fact.server });
      case 'replica.stderr':
        return stderr.inc({ server: fact.server });
      case 'line.dropped':
        return dropped.inc({ server: fact.server, why: dropWord(fact.why) }, fact.count);
      case 'image.build':
        return builds.observe({ server: fact.server, cached: String(fact.cached) }, fact.durationMs / 1000);
      case 'container.removed':
        return removed.inc({ why: removeWord(fact.why) });
      case 'engine.state':
        return engineUp.set(fact.state === 'up' ? 1 : 0);
      case 'config.applied':
        return applied.inc();
      case 'config.reload':
        return reloads.inc({ outcome: fact.outcome });
      case 'rollout.ended':
        return rollouts.inc({ server: fact.server, outcome: fact.outcome });
      case 'rollout.started':
      case 'rollout.shifted':
        return; // counted when it is decided
      case 'trouble':
        return trouble.inc({ where: placeWord(fact.where) });
      case 'pool.scaled':
      case 'spare.count':
      case 'spare.used':
      case 'replica.rest':
      case 'memory.committed':
      case 'memory.refused':
        return scaling(fact);
      case 'task.enqueued':
      case 'task.refused':
      case 'task.retried':
      case 'task.taken_over':
      case 'task.ended':
      case 'task.revived':
      case 'task.backlog':
        return tasks(fact);
      case 'server.offers':
        return offers.inc({ server: fact.server });
      case 'server.left_out':
        return leftOut.inc({ server: fact.server, why: leftOutWord(fact.why) });
      case 'server.state':
        return changes.inc({ server: fact.server, state: fact.state, reason: fact.reason?.code ?? '' });
    }
  };
}
