export { MemoryServerStore } from './memory-server-store.ts';
export { RedisEventLog, type RedisEventLogOptions } from './redis-event-log.ts';
export { RedisServerStore, type RedisServerStoreOptions } from './redis-server-store.ts';
export type { ServerStore, StoredEntry, StoredServer } from './server-store.ts';
