export { type ClientMessage, idOf, readClientMessage } from './client-message.ts';
export { EVENTS_KEPT_MS, type EventLog, type NumberedMessage } from './event-log.ts';
export { MemoryEventLog } from './memory-event-log.ts';
export type { OutEvent, OutStream } from './out-stream.ts';
export { type Answer, type EncodeError, encodeOutcome } from './session.ts';
export { type Reply, type Sender, Sessions } from './sessions.ts';
export { LEGACY_VERSIONS } from './shared-process.ts';
export { Tools } from './tools.ts';
