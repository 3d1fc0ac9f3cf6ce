export { MemoryTaskStore } from './memory-task-store.ts';
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
