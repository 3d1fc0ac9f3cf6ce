export { Intents } from './intents.ts';
export { LearnedOffers } from './learned-offers.ts';
export { Ledger } from './ledger.ts';
export { MemoryMeshStore } from './memory-mesh-store.ts';
export { MemoryServerStore } from './memory-server-store.ts';
export {
  type Change,
  type HeldKind,
  type Json,
  type KeptKind,
  type MeshStore,
  WRITTEN_BEHIND,
} from './mesh-store.ts';
export { reached } from './reached.ts';
export { type Pictures, Recorder } from './recorder.ts';
export { RedisAgentStore, type RedisAgentStoreOptions } from './redis-agent-store.ts';
export { RedisEraMemory, type RedisEraMemoryOptions } from './redis-era-memory.ts';
export { RedisEventLog, type RedisEventLogOptions } from './redis-event-log.ts';
export { RedisMeshStore, type RedisMeshStoreOptions } from './redis-mesh-store.ts';
export { RedisServerStore, type RedisServerStoreOptions } from './redis-server-store.ts';
export { RedisTaskStore, type RedisTaskStoreOptions } from './redis-task-store.ts';
export { Registrations } from './registrations.ts';
export type { ServerStore, StoredEntry, StoredServer } from './server-store.ts';
export { Tuning } from './tuning.ts';
