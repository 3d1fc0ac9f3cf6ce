import {
  AGENT_TTL_MS,
  type AgentStore,
  MAX_AGENTS,
  MemoryAgentStore,
  MemoryTaskStore,
  streamOf,
  TASK_LIMITS,
  type TaskStore,
} from './bus/index.ts';
import { type Environment, redisUrl } from './environment.ts';
import { systemClock } from './kernel/index.ts';
import { type EraMemory, MemoryEraMemory } from './lifecycle/index.ts';
import {
  MemoryMeshStore,
  MemoryServerStore,
  type MeshStore,
  RedisAgentStore,
  RedisEraMemory,
  RedisEventLog,
  RedisMeshStore,
  RedisServerStore,
  RedisTaskStore,
  type ServerStore,
} from './registry/index.ts';
import { EVENTS_KEPT_MS, type EventLog, MemoryEventLog } from './session/index.ts';

export type Stores = {
  readonly servers: ServerStore;
  readonly mesh: MeshStore;
  readonly events: EventLog;
  readonly eras: EraMemory;
  readonly tasks: TaskStore;
  readonly agents: AgentStore;
  readonly close: () => Promise<void>;
};

/**
 * Redis where one is configured, else the twins in memory: then the log says what is lost at the next start. Keys begin
 * with the owner, so that several meshes may be kept in one Redis.
 */
export function openStores(
  { redis, owner }: Environment,
  trouble: (where: string) => (message: string) => void,
): Stores {
  if (redis === null) {
    trouble('registry')(
      'No Redis is configured: servers made over the API, what was stopped or scaled, known tool lists, open breakers, crash loops, messages of broken streams, and all tasks are forgotten at the next start.',
    );
    return {
      servers: new MemoryServerStore(),
      mesh: new MemoryMeshStore(),
      events: new MemoryEventLog({ clock: systemClock }),
      eras: new MemoryEraMemory(),
      tasks: new MemoryTaskStore({ limits: TASK_LIMITS, clock: systemClock }),
      agents: new MemoryAgentStore({ clock: systemClock }),
      close: async () => {},
    };
  }
  const url = redisUrl(redis);
  const onTrouble = trouble('registry');
  const keyPrefix = `${owner}:`;
  const servers = new RedisServerStore({ url, keyPrefix, onTrouble });
  const mesh = new RedisMeshStore({ url, keyPrefix, onTrouble });
  // On a connection of its own: a flood of messages must not delay the registry.
  const events = new RedisEventLog({
    url,
    keyPrefix: `${keyPrefix}events:`,
    keptMs: EVENTS_KEPT_MS,
    onTrouble: trouble('events'),
  });
  const eras = new RedisEraMemory({ url, keyPrefix: `${keyPrefix}era:`, onTrouble: trouble('eras') });
  // So must a flood of tasks.
  const tasks = new RedisTaskStore({ url, keyPrefix, limits: TASK_LIMITS, streamOf });
  const agents = new RedisAgentStore({ url, keyPrefix, ttlMs: AGENT_TTL_MS, maxAgents: MAX_AGENTS });
  const close = async (): Promise<void> => {
    await tasks.close();
    await agents.close();
    await events.close();
    await eras.close();
    await mesh.close();
    await servers.close();
  };
  return { servers, mesh, events, eras, tasks, agents, close };
}
