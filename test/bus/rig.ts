import type { ExecutionContext } from 'ava';
import { type Execute, MemoryTaskStore, TASK_LIMITS, TaskBus, Worker } from '../../orchestrator/bus/index.ts';
import { type Fact, Facts, GantryError } from '../../orchestrator/kernel/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

export type Rig = ReturnType<typeof busRig>;

/** A bus over the memory twin with a worker, and a clock that moves only when told to. */
export function busRig(
  t: ExecutionContext,
  execute: Execute,
  { mayRunTwice = false, consumer = 'me', limits = TASK_LIMITS, works = true } = {},
) {
  const clock = new FakeClock();
  const facts = new Facts();
  const told: Fact[] = [];
  const waiting = new Set<() => void>();
  facts.listen((fact) => {
    told.push(fact);
    for (const look of waiting) look();
  });
  const store = new MemoryTaskStore({ limits, clock });
  const options = { store, facts, clock, random: () => 1 };
  const startWorker = (): Worker => {
    const worker = new Worker({ ...options, execute, consumer, mayRunTwice: () => mayRunTwice });
    t.teardown(() => worker.close(0));
    return worker;
  };
  const worker = works ? startWorker() : null;
  const bus = new TaskBus({
    store,
    facts,
    checkTool: (server, tool) => {
      if (server === 'nobody') throw new GantryError('server_not_found', 'No server is called "nobody".');
      if (tool === 'hidden') throw new GantryError('tool_not_found', 'It is not offered.');
    },
    onTasks: () => worker?.wake(),
  });
  const enqueue = async (task_type: string, more: object = {}, principal = 'alice'): Promise<string> => {
    const task = { task_type, payload: { n: 1 } };
    const when = { priority: 0, delayMs: 0, idempotencyKey: null, maxAttempts: 2, mayRunTwice: false };
    const [taken] = await bus.enqueue([{ topic: 'mcp', task, ...when, ...more }], principal);
    return taken?.id ?? '';
  };
  /** Resolves with the next fact of a type, or one that was stated already. */
  const fact = <T extends Fact['type']>(type: T, count = 1): Promise<Extract<Fact, { type: T }>> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = told.filter((one): one is Extract<Fact, { type: T }> => one.type === type)[count - 1];
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { bus, store, clock, worker, startWorker, enqueue, fact, told };
}

export const answered = { raw: '{"content":[]}', isError: false };

export function died(mayHaveRun: boolean): GantryError {
  return new GantryError('replica_failed', 'It died.', { detail: { mayHaveRun } });
}
