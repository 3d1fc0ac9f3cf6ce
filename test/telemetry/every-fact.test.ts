import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { type Fact, Facts, reason } from '../../orchestrator/kernel/index.ts';
import { countFacts } from '../../orchestrator/telemetry/index.ts';

/** One of each: the compiler misses what is added to the list and not here. */
const SAMPLES: { readonly [Type in Fact['type']]: Extract<Fact, { type: Type }> } = {
  'server.state': { type: 'server.state', server: 'a', state: 'failed', reason: reason('crash_loop', '') },
  'replica.state': { type: 'replica.state', server: 'a', replica: 'a-1', state: 'ready', reason: null },
  'replica.restart': { type: 'replica.restart', server: 'a', replica: 'a-1', delayMs: 0 },
  'replica.stderr': { type: 'replica.stderr', server: 'a', replica: 'a-1', line: '' },
  'line.dropped': { type: 'line.dropped', server: 'a', replica: 'a-1', why: 'not_json', count: 1 },
  'call.ended': { type: 'call.ended', server: 'a', method: 'ping', outcome: 'ok', durationMs: 1 },
  'breaker.state': {
    type: 'breaker.state',
    server: 'a',
    replica: 'a-1',
    guards: 'calls',
    state: 'open',
    cause: 'dead',
  },
  'breaker.spared': { type: 'breaker.spared', server: 'a', replica: 'a-1', cause: 'ratio' },
  'replica.probe': { type: 'replica.probe', server: 'a', replica: 'a-1', answered: true, durationMs: 1 },
  'replica.health': { type: 'replica.health', server: 'a', replica: 'a-1', health: 'unresponsive' },
  'replica.picked': { type: 'replica.picked', server: 'a', replica: 'a-1' },
  'call.waiting': { type: 'call.waiting', server: 'a' },
  'call.waited': { type: 'call.waited', server: 'a', outcome: 'served', waitMs: 1 },
  'call.refused': { type: 'call.refused', server: 'a', why: 'queue_full' },
  'call.retried': { type: 'call.retried', server: 'a', method: 'ping', why: 'not_sent' },
  'call.not_retried': { type: 'call.not_retried', server: 'a', method: 'ping', why: 'budget' },
  'server.offers': { type: 'server.offers', server: 'a' },
  'server.left_out': { type: 'server.left_out', server: 'a', why: 'failed' },
  'session.opened': { type: 'session.opened', server: 'a' },
  'session.restored': { type: 'session.restored', server: 'a' },
  'session.closed': { type: 'session.closed', server: 'a', why: 'deleted' },
  'image.build': { type: 'image.build', server: 'a', image: 'a:1', cached: false, durationMs: 1 },
  'pool.scaled': { type: 'pool.scaled', server: 'a', from: 1, to: 2, why: 'load' },
  'spare.count': { type: 'spare.count', server: 'a', waiting: 1 },
  'spare.used': { type: 'spare.used', server: 'a', outcome: 'greeted' },
  'replica.rest': { type: 'replica.rest', server: 'a', replica: 'a-1', step: 'paused' },
  'memory.committed': { type: 'memory.committed', committedBytes: 1, budgetBytes: 2 },
  'memory.refused': { type: 'memory.refused', server: 'a', claimant: 'spare', neededBytes: 2, freeBytes: 1 },
  'container.removed': { type: 'container.removed', containerId: 'c', why: 'closed' },
  'http.request': { type: 'http.request', method: 'GET', route: '/healthz', status: 200, durationMs: 1 },
  'engine.state': { type: 'engine.state', state: 'up', message: '' },
  'config.applied': { type: 'config.applied', added: 1, changed: 0, removed: 0 },
  'config.reload': {
    type: 'config.reload',
    trigger: 'api',
    outcome: 'refused',
    problems: [''],
    settingsChanged: false,
  },
  'rollout.started': { type: 'rollout.started', server: 'a', mode: 'beside' },
  'rollout.shifted': { type: 'rollout.shifted', server: 'a', tools: null },
  'rollout.ended': { type: 'rollout.ended', server: 'a', outcome: 'done', reason: null },
  'task.enqueued': { type: 'task.enqueued', topic: 'a', count: 1 },
  'task.refused': { type: 'task.refused', topic: 'a', count: 1 },
  'task.retried': { type: 'task.retried', topic: 'a', why: 'failed', delayMs: 1 },
  'task.taken_over': { type: 'task.taken_over', topic: 'a' },
  'task.ended': { type: 'task.ended', topic: 'a', task: 'a-1', outcome: 'done', durationMs: 1 },
  'task.backlog': { type: 'task.backlog', pending: 1, dead: 1 },
  'task.revived': { type: 'task.revived', topic: 'a', how: 'replayed' },
  trouble: { type: 'trouble', where: 'a', message: '' },
};

/** Steps of one change: it is counted once, when it is decided. */
const COUNTED_WITH_ANOTHER = ['rollout.started', 'rollout.shifted'];

test('every fact of the list changes a number of /metrics', async (t) => {
  const uncounted: string[] = [];
  for (const fact of Object.values(SAMPLES)) {
    const facts = new Facts();
    const metrics = countFacts(facts);
    const before = await counted(metrics);
    facts.state(fact);
    if (isDeepStrictEqual(await counted(metrics), before)) uncounted.push(fact.type);
    metrics.close();
  }
  t.deepEqual(uncounted, COUNTED_WITH_ANOTHER);
});

/** Without what the process counts of itself, which changes all the time. */
async function counted({ render }: ReturnType<typeof countFacts>): Promise<readonly string[]> {
  const { text } = await render();
  return text.split('\n').filter((line) => !/^(?:#|gantry_(?:process|nodejs|event_loop))/.test(line));
}
