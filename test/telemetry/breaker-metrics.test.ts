import test, { type ExecutionContext } from 'ava';
import { type Fact, Facts } from '../../orchestrator/kernel/index.ts';
import { countFacts } from '../../orchestrator/telemetry/index.ts';

type BreakerFact = Extract<Fact, { type: 'breaker.state' }>;

function counting(t: ExecutionContext) {
  const facts = new Facts();
  const metrics = countFacts(facts);
  t.teardown(() => metrics.close());
  const rowsOf = async (name: string): Promise<readonly string[]> =>
    (await metrics.render()).text.split('\n').filter((row) => row.startsWith(`${name}{`));
  const breaker = (replica: string | null, state: BreakerFact['state'], cause: BreakerFact['cause'] = null) =>
    facts.state({
      type: 'breaker.state',
      server: 'a',
      replica,
      guards: replica === null ? 'starts' : 'calls',
      state,
      cause,
    });
  return { facts, rowsOf, breaker };
}

test('breakers are counted by their state now, and openings by their cause', async (t) => {
  const { rowsOf, breaker } = counting(t);
  breaker('a-1', 'closed');
  breaker('a-2', 'closed');
  breaker('a-1', 'open', 'ratio');
  breaker('a-1', 'half_open');
  breaker(null, 'open', 'consecutive');
  t.deepEqual(await rowsOf('gantry_breaker_state'), [
    'gantry_breaker_state{server="a",guards="calls",state="half_open"} 1',
    'gantry_breaker_state{server="a",guards="calls",state="closed"} 1',
    'gantry_breaker_state{server="a",guards="starts",state="open"} 1',
  ]);
  t.deepEqual(await rowsOf('gantry_breaker_trips_total'), [
    'gantry_breaker_trips_total{server="a",guards="calls",cause="ratio"} 1',
    'gantry_breaker_trips_total{server="a",guards="starts",cause="consecutive"} 1',
  ]);
});

test('replicas of sessions leave nothing behind, however many there were', async (t) => {
  const { rowsOf, breaker } = counting(t);
  for (let session = 0; session < 500; session++) {
    breaker(`a-s-${session}`, 'open', 'dead');
    breaker(`a-s-${session}`, 'gone');
  }
  t.deepEqual(await rowsOf('gantry_breaker_state'), []);
  t.deepEqual(await rowsOf('gantry_breaker_trips_total'), [
    'gantry_breaker_trips_total{server="a",guards="calls",cause="dead"} 500',
  ]);
});

test('probes are counted by whether they were answered, with the duration of those that were', async (t) => {
  const { facts, rowsOf } = counting(t);
  const probe = { type: 'replica.probe', server: 'a', replica: 'a-1' } as const;
  facts.state({ ...probe, answered: true, durationMs: 250 });
  facts.state({ ...probe, answered: false, durationMs: 5000 });
  facts.state({ type: 'replica.health', server: 'a', replica: 'a-1', health: 'unresponsive' });
  facts.state({ type: 'breaker.spared', server: 'a', replica: 'a-1', cause: 'ratio' });
  t.deepEqual(await rowsOf('gantry_probes_total'), [
    'gantry_probes_total{server="a",outcome="answered"} 1',
    'gantry_probes_total{server="a",outcome="silent"} 1',
  ]);
  t.deepEqual(await rowsOf('gantry_probe_duration_seconds_sum'), [
    'gantry_probe_duration_seconds_sum{server="a"} 0.25',
  ]);
  t.deepEqual(await rowsOf('gantry_replica_health_changes_total'), [
    'gantry_replica_health_changes_total{server="a",health="unresponsive"} 1',
  ]);
  t.deepEqual(await rowsOf('gantry_breaker_spared_total'), [
    'gantry_breaker_spared_total{server="a",cause="ratio"} 1',
  ]);
});
