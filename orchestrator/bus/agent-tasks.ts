import {
  type Agent,
  type AgentOutcome,
  type ClaimedTask,
  type Clock,
  type Ending,
  type Facts,
  GantryError,
  MESH_TOPIC,
} from '../kernel/index.ts';
import { AGENT_TTL_MS, type AgentStore } from './agent-store.ts';
import { backoffMs } from './backoff.ts';
import { outcomeText } from './outcome.ts';
import type { TaskStore } from './task-store.ts';
import { verdictOnInterrupted } from './verdict.ts';

export type AgentTasksOptions = {
  readonly store: TaskStore;
  readonly agents: AgentStore;
  readonly facts: Facts;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: () => number;
};

/** Agents and the topics that are theirs: whoever has no way to Redis consumes over these. */
export class AgentTasks {
  readonly ttlSeconds = AGENT_TTL_MS / 1000;
  readonly #options: AgentTasksOptions;
  #turn = 0;

  constructor(options: AgentTasksOptions) {
    this.#options = options;
  }

  list(): Promise<readonly Agent[]> {
    return this.#options.agents.list();
  }

  /**
   * Heard of: for another minute it is there, and so are its tasks its own. Without `agent` as it was.
   * @returns which of the tasks are still its own. @throws GantryError agent_not_found, queue_full
   */
  async beat(
    id: string,
    agent: Omit<Agent, 'id'> | null,
    tasks: readonly string[],
  ): Promise<readonly string[]> {
    const { agents, store } = this.#options;
    const known = agent === null ? await agents.get(id) : { id, ...agent };
    if (known === null) {
      throw new GantryError(
        'agent_not_found',
        `Agent ${id} is not known, or was silent for too long; send agent_type.`,
      );
    }
    await agents.beat(known);
    const renewed = tasks.length === 0 ? [] : await store.renew(consumerOf(id), tasks);
    return tasks.filter((_, index) => renewed[index]);
  }

  /**
   * Tasks for an agent. They count as handed over: when nothing is heard of them for a minute, they go to somebody else
   * where they may run twice, and to the dead letters where not.
   * @throws GantryError unprocessable for the mesh's own topic
   */
  async claim(topic: string, agent: string, count: number): Promise<readonly ClaimedTask[]> {
    if (topic === MESH_TOPIC) {
      throw new GantryError('unprocessable', `Tasks of topic ${topic} are executed by the mesh itself.`);
    }
    const { store, facts, clock } = this.#options;
    const consumer = consumerOf(agent);
    const request = { topic, consumer, count, perLane: count, busy: new Map(), turn: this.#turn++ };
    const claimed = await store.claim({ ...request, abandonedAfterMs: AGENT_TTL_MS });
    const alive: ClaimedTask[] = [];
    for (const task of claimed) {
      if (task.interrupted) facts.state({ type: 'task.taken_over', topic });
      const verdict = task.interrupted
        ? verdictOnInterrupted(task, 'The agent was not heard of again.')
        : null;
      if (verdict?.kind !== 'dead') {
        alive.push(task);
        continue;
      }
      await store.settle(consumer, [{ id: task.id, ...verdict }]);
      const durationMs = clock.now() - task.dueAt;
      facts.state({ type: 'task.ended', topic, task: task.id, outcome: verdict.reason, durationMs });
    }
    const started = alive.length === 0 ? [] : await store.start(consumer, alive);
    return alive
      .filter((_, index) => started[index])
      .map((task) => ({ ...task, attempts: task.attempts + 1 }));
  }

  /** @returns the state it is in now. @throws GantryError task_not_found, invalid_state where the agent has it no longer */
  async settle(id: string, agent: string, outcome: AgentOutcome): Promise<Ending['kind']> {
    const { store, facts, clock } = this.#options;
    const record = await store.task(id);
    if (record === null) throw new GantryError('task_not_found', `There is no task ${id}.`);
    const ending = this.#endingOf(record, agent, outcome);
    const [isTheirs] = await store.settle(consumerOf(agent), [ending]);
    if (!isTheirs) {
      throw new GantryError(
        'invalid_state',
        `Task ${id} is not in the hands of ${agent}: it is over, or went to another.`,
      );
    }
    const { topic, dueAt } = record;
    if (ending.kind === 'retry') {
      facts.state({ type: 'task.retried', topic, why: 'failed', delayMs: ending.delayMs });
    } else {
      const ended = ending.kind === 'dead' ? ending.reason : ending.kind;
      facts.state({ type: 'task.ended', topic, task: id, outcome: ended, durationMs: clock.now() - dueAt });
    }
    return ending.kind;
  }

  #endingOf(
    record: Parameters<typeof outcomeText>[0] & { readonly maxAttempts: number },
    agent: string,
    { status, result, message }: AgentOutcome,
  ): Ending {
    const { id, attempts, maxAttempts } = record;
    const why = message ?? 'The agent gave no reason.';
    if (status === 'retry' && attempts >= maxAttempts)
      return { id, kind: 'dead', reason: 'attempts', message: why };
    if (status === 'retry') {
      return {
        id,
        kind: 'retry',
        refused: false,
        message: why,
        delayMs: backoffMs(attempts, this.#options.random),
      };
    }
    const error = status === 'failed' ? { code: 'agent_error', message: why } : null;
    const told = { status, result: result === undefined ? null : JSON.stringify(result), error };
    return { id, kind: status, json: outcomeText(record, told, { agent, at: this.#options.clock.now() }) };
  }
}

/** Apart from the names of orchestrators: no agent can say something of a task that the mesh executes. */
function consumerOf(agent: string): string {
  return `agent:${agent}`;
}
