import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Fact } from '../kernel/index.ts';
import { firstValues } from './bounded-labels.ts';
import { counterIn } from './counter-in.ts';

type TaskFact = Extract<Fact, { type: `task.${string}` }>;

/** From a task that is executed at once to one that waited for a server to come back. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 3600];
/** Topics are chosen by callers. */
const MAX_TOPIC_LABELS = 100;

/** What becomes of tasks. Labels are words of a fixed list, and the first so many topics. */
export function taskMetrics(registry: Registry): (fact: TaskFact) => void {
  const registers = [registry];
  const counter = counterIn(registry);
  const enqueued = counter('gantry_tasks_enqueued_total', 'Tasks that were taken', ['topic']);
  const refused = counter('gantry_tasks_refused_total', 'Tasks that a full bus did not take', ['topic']);
  const retried = counter('gantry_tasks_retried_total', 'Tasks put off until another attempt', [
    'topic',
    'why',
  ]);
  const takenOver = counter('gantry_tasks_taken_over_total', 'Tasks whose consumer was gone', ['topic']);
  const ended = counter('gantry_tasks_ended_total', 'Tasks that are over', ['topic', 'outcome']);
  const revived = counter('gantry_dead_letters_total', 'Dead letters put back or thrown away', [
    'topic',
    'how',
  ]);
  const durations = new Histogram({
    name: 'gantry_task_duration_seconds',
    help: 'Tasks, from when they were due until they were over',
    labelNames: ['topic'],
    buckets: BUCKETS,
    registers,
  });
  const open = new Gauge({
    name: 'gantry_tasks_open',
    help: 'Tasks that wait or are executed (pending), and dead letters (dead)',
    labelNames: ['kind'],
    registers,
  });
  const topicWord = firstValues(MAX_TOPIC_LABELS);
  return (fact) => {
    if (fact.type === 'task.backlog') {
      open.set({ kind: 'pending' }, fact.pending);
      return open.set({ kind: 'dead' }, fact.dead);
    }
    const topic = topicWord(fact.topic);
    switch (fact.type) {
      case 'task.enqueued':
        return enqueued.inc({ topic }, fact.count);
      case 'task.refused':
        return refused.inc({ topic }, fact.count);
      case 'task.retried':
        return retried.inc({ topic, why: fact.why });
      case 'task.taken_over':
        return takenOver.inc({ topic });
      case 'task.revived':
        return revived.inc({ topic, how: fact.how });
      case 'task.ended':
        ended.inc({ topic, outcome: fact.outcome });
        return durations.observe({ topic }, fact.durationMs / 1000);
    }
  };
}
