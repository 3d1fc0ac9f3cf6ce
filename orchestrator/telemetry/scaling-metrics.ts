import { Gauge, type Registry } from 'prom-client';
import type { Fact } from '../kernel/index.ts';
import { counterIn } from './counter-in.ts';

type ScalingFact = Extract<
  Fact,
  {
    type:
      | 'pool.scaled'
      | 'spare.count'
      | 'spare.used'
      | 'replica.rest'
      | 'memory.committed'
      | 'memory.refused';
  }
>;

/** Spares, scaling, rest and memory. Labels are servers and words of a fixed list. */
export function scalingMetrics(registry: Registry): (fact: ScalingFact) => void {
  const registers = [registry];
  const counter = counterIn(registry);
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const scaled = counter('gantry_scalings_total', 'Changes of the number of standing replicas', [
    'server',
    'direction',
    'why',
  ]);
  const spares = gauge('gantry_spares', 'Spares that wait', ['server']);
  const used = counter('gantry_spares_used_total', 'Starts that could use a spare, by what they got', [
    'server',
    'outcome',
  ]);
  const rests = counter('gantry_rests_total', 'Steps of standing replicas on the idle ladder', [
    'server',
    'step',
  ]);
  const committed = gauge('gantry_memory_committed_bytes', 'Memory limits of all containers that run', []);
  const budget = gauge('gantry_memory_budget_bytes', 'What those may be together', []);
  const refused = counter(
    'gantry_memory_refused_total',
    'Containers that were not started for lack of memory',
    ['server', 'claimant'],
  );
  return (fact) => {
    switch (fact.type) {
      case 'pool.scaled': {
        const { server, from, to, why } = fact;
        return scaled.inc({ server, direction: to > from ? 'up' : 'down', why });
      }
      case 'spare.count':
        return spares.set({ server: fact.server }, fact.waiting);
      case 'spare.used':
        return used.inc({ server: fact.server, outcome: fact.outcome });
      case 'replica.rest':
        return rests.inc({ server: fact.server, step: fact.step });
      case 'memory.committed':
        committed.set(fact.committedBytes);
        if (fact.budgetBytes !== null) budget.set(fact.budgetBytes);
        return;
      case 'memory.refused':
        return refused.inc({ server: fact.server, claimant: fact.claimant });
    }
  };
}
