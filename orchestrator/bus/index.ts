export { AGENT_TTL_MS, type AgentStore, MAX_AGENTS, MemoryAgentStore } from './agent-store.ts';
export { type AgentOutcome, AgentTasks } from './agent-tasks.ts';
export type { Execute } from './attempt.ts';
export { MemoryTaskStore } from './memory-task-store.ts';
export { TaskBus, type TaskBusOptions, type TaskRequest } from './task-bus.ts';
export {
  type ClaimRequest,
  type Enqueued,
  type EnqueueOutcome,
  streamOf,
  TASK_LIMITS,
  type TaskLimits,
  type TaskStore,
  type Usage,
} from './task-store.ts';
export { Worker, type WorkerOptions } from './worker.ts';
