import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Fact, Facts } from '../kernel/index.ts';
import { firstValues, httpMethodLabel } from './bounded-labels.ts';
import { BREAKER_FACTS, breakerCounters } from './breaker-metrics.ts';
import { CALL_BUCKETS, callMetrics } from './call-metrics.ts';
import { counterIn } from './counter-in.ts';
import { measureEventLoopDelay, RESOLUTION_MS } from './event-loop-delay.ts';
import { HotCounter, HotHistogram } from './hot-metrics.ts';
import { ReplicaCensus } from './replica-census.ts';
import { scalingMetrics } from './scaling-metrics.ts';
import { taskMetrics } from './task-metrics.ts';

export type FactMetrics = {
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Stops listening and measuring. */
  close(): void;
};

const BUILD_BUCKETS = [0.1, 1, 5, 15, 30, 60, 120, 300, 600];
/** Words that rooms write themselves; more of them than this would be a mistake, not a need. */
const MAX_WORDS = 40;

/**
 * Counts facts, for Prometheus. Every label is bounded: servers by the configuration, routes by their patterns,
 * methods by a list, words by number.
 */
export function countFacts(facts: Facts): FactMetrics {
  const registry = new Registry();
  collectDefaultMetrics({
    ...{ register: registry, prefix: 'gantry_' },
    eventLoopMonitoringPrecision: RESOLUTION_MS,
  });
  const stopDelay = measureEventLoopDelay(registry);
  const stops = [
    facts.listen(counters(registry)),
    facts.listen(breakerCounters(registry), (type) => BREAKER_FACTS.has(type)),
  ];
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
  const counter = counterIn(registry);

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
  const calls = callMetrics(registry);
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

  return (fact) => {
    switch (fact.type) {
      case 'call.ended':
      case 'call.waiting':
      case 'call.waited':
      case 'call.refused':
      case 'call.retried':
      case 'call.not_retried':
      case 'replica.picked':
        return calls(fact);
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
