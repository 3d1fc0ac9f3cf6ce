export { AGENT_TTL_MS, type AgentStore, MAX_AGENTS, MemoryAgentStore } from './agent-store.ts';
export { AgentTasks } from './agent-tasks.ts';
export type { Execute } from './attempt.ts';
export { MemoryTaskStore } from './memory-task-store.ts';
export { TaskBus, type TaskBusOptions } from './task-bus.ts';
export { streamOf, TASK_LIMITS, type TaskStore } from './task-store.ts';
export { Worker, type WorkerOptions } from './worker.ts';
