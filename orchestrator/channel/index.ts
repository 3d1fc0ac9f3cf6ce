export type { Attachment } from '../engine/index.ts';
export type { Memory } from './acknowledger.ts';
export { type AttachChannelOptions, attachChannel } from './attach-channel.ts';
export type { Channel, ChannelEnd, ProcessExit, StderrLine, StderrRing } from './channel.ts';
export { Link, type LinkOptions } from './link.ts';
export type { CallOptions, SentCall } from './open-call.ts';
export type { ServerMessage } from './server-line.ts';
export { ChannelDirectories, type ChannelDirectoriesOptions } from './socket/directories.ts';
export { type Resumed, SocketChannel, type SocketChannelOptions } from './socket/socket-channel.ts';
