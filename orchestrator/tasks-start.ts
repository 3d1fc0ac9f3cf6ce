import { AgentTasks, TaskBus, Worker } from './bus/index.ts';
import type { HttpOptions } from './http/index.ts';
import { type Facts, messageOf, systemClock } from './kernel/index.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { Stores } from './registry-start.ts';
import { mayRunTwice } from './resilience/index.ts';
import type { Tools } from './session/index.ts';

/** Well within the time an agent is kept, and often enough for a graph of what waits. */
const BEAT_EVERY_MS = 10_000;

export type TasksOptions = {
  readonly stores: Pick<Stores, 'tasks' | 'agents'>;
  readonly tools: Tools;
  readonly mesh: Mesh;
  readonly facts: Facts;
  /** This start of the orchestrator. */
  readonly epoch: string;
  readonly onTrouble: (message: string) => void;
};

/** The task bus with its worker. `close` waits for the tasks in hand, and leaves the others to the next start. */
export function startTasks({ stores, tools, mesh, facts, epoch, onTrouble }: TasksOptions): Pick<
  HttpOptions,
  'tasks' | 'agents'
> & {
  readonly pendingTasks: () => Promise<number>;
  close(drainMs: number): Promise<void>;
} {
  const store = stores.tasks;
  const consumer = `orchestrator:${epoch}`;
  const shared = { store, facts, clock: systemClock, random: Math.random };
  const worker = new Worker({
    ...shared,
    consumer,
    execute: (task, options) => tools.run(task, options),
    mayRunTwice: (server, tool) => mesh.spec(server) !== null && mayRunTwice(tool, mesh.tools(server)),
  });
  const tasks = new TaskBus({
    store,
    facts,
    checkTool: (server, tool) => tools.check(server, tool),
    onTasks: () => worker.wake(),
  });
  const agents = new AgentTasks({ ...shared, agents: stores.agents });
  const stopBeating = beating(async () => {
    // The mesh is one of those who consume tasks.
    await agents.beat(consumer, { type: 'orchestrator', meta: {} }, []);
    facts.state({ type: 'task.backlog', ...(await tasks.backlog()) });
  }, onTrouble);
  return {
    tasks,
    agents,
    // Looking at the mesh has to work without Redis, which is shown there as what is broken.
    pendingTasks: () =>
      tasks.backlog().then(
        ({ pending }) => pending,
        () => 0,
      ),
    async close(drainMs) {
      stopBeating();
      await worker.close(drainMs);
    },
  };
}

function beating(beat: () => Promise<unknown>, onTrouble: (message: string) => void): () => void {
  let cancel = (): void => {};
  const again = (): void => {
    cancel = systemClock.after(BEAT_EVERY_MS, again);
    beat().catch((error) => onTrouble(`The mesh is not listed among the agents: ${messageOf(error)}`));
  };
  again();
  return () => cancel();
}
