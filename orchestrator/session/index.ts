export { type ClientMessage, idOf, readClientMessage } from './client-message.ts';
export { type Era, eraOf, MODERN_VERSIONS } from './era.ts';
export { StatelessCalls, type StatelessReply } from './modern/stateless-calls.ts';
export type { OutStream } from './out-stream.ts';
export { type Answer, type EncodeError, encodeOutcome } from './session.ts';
export { type Reply, type Sender, Sessions } from './sessions.ts';
export { LEGACY_VERSIONS } from './shared-process.ts';
export { Tools } from './tools.ts';
