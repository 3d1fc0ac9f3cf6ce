import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Fact } from '../kernel/index.ts';
import { BreakerCensus } from './breaker-census.ts';
import { counterIn } from './counter-in.ts';

/** From a ping that is answered at once to the default time one may take. */
const PROBE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];

export const BREAKER_FACTS: ReadonlySet<Fact['type']> = new Set([
  'breaker.state',
  'breaker.spared',
  'replica.health',
  'replica.probe',
]);

/** What breakers and probes state, counted. @returns a listener of these, which leaves all other facts alone. */
export function breakerCounters(registry: Registry): (fact: Fact) => void {
  const registers = [registry];
  const counter = counterIn(registry);
  const trips = counter('gantry_breaker_trips_total', 'Breakers that opened', ['server', 'guards', 'cause']);
  const spared = counter('gantry_breaker_spared_total', 'Breakers kept closed: half of the pool was out', [
    'server',
    'cause',
  ]);
  const probes = counter('gantry_probes_total', 'Replicas asked whether they live', ['server', 'outcome']);
  const changes = counter('gantry_replica_health_changes_total', 'Changes of what probes say', [
    'server',
    'health',
  ]);
  const probeDuration = new Histogram({
    name: 'gantry_probe_duration_seconds',
    help: 'Probes that were answered',
    labelNames: ['server'],
    buckets: PROBE_BUCKETS,
    registers,
  });
  const census = new BreakerCensus();
  new Gauge({
    name: 'gantry_breaker_state',
    help: 'Breakers by state: of the replicas of a pool (guards=calls), of starts for sessions (guards=starts)',
    labelNames: ['server', 'guards', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { server, guards, state, count } of census.counts())
        this.set({ server, guards, state }, count);
    },
  });
  return (fact) => {
    switch (fact.type) {
      case 'breaker.state':
        if (fact.state === 'open') {
          trips.inc({ server: fact.server, guards: fact.guards, cause: fact.cause ?? 'unknown' });
        }
        return census.note(fact);
      case 'breaker.spared':
        return spared.inc({ server: fact.server, cause: fact.cause });
      case 'replica.health':
        return changes.inc({ server: fact.server, health: fact.health });
      case 'replica.probe':
        probes.inc({ server: fact.server, outcome: fact.answered ? 'answered' : 'silent' });
        if (fact.answered) probeDuration.observe({ server: fact.server }, fact.durationMs / 1000);
    }
  };
}
