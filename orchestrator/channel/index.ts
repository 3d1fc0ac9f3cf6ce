export type { Attachment } from '../engine/index.ts';
export { type AttachChannelOptions, attachChannel } from './attach-channel.ts';
export type { Channel, ChannelEnd, StderrLine, StderrRing } from './channel.ts';
export { HttpChannel, type HttpChannelOptions } from './http/http-channel.ts';
export { type PinnedAddress, pinAddress, portOf } from './http/pinned-address.ts';
export { Link, type LinkOptions } from './link.ts';
export type { CallOptions } from './open-call.ts';
export type { ServerMessage } from './server-line.ts';
