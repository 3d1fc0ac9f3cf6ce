export type {
  Attachment,
  CallOptions,
  Channel,
  ChannelDirectoriesOptions,
  ChannelEnd,
  Memory,
  ProcessExit,
  Resumed,
  SentCall,
  ServerMessage,
  SocketChannelOptions,
  StderrLine,
  StderrRing,
} from '../channel/index.ts';
export {
  attachChannel,
  ChannelDirectories,
  HttpChannel,
  type PinnedAddress,
  SocketChannel,
} from '../channel/index.ts';
export type { CallBreaker } from './counted.ts';
export { GREETING, type Handshake } from './handshake.ts';
export { helloKey } from './hello.ts';
export { type ListSource, listOffers } from './list-offers.ts';
export { listTools, type ToolList } from './list-tools.ts';
export type { ProbeAnswer } from './prober.ts';
export { Replica } from './replica.ts';
export type { Holder, ReplicaIdentity, ResumedCall } from './replica-identity.ts';
export type { ReplicaState, ReplicaStateName } from './replica-state.ts';
