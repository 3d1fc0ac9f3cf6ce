import type { Channel } from './channel.ts';

/** A channel whose process outlives it, seen from the link. */
export type LastingChannel = Omit<Channel, 'onLine'> & {
  onLine(listener: (line: Buffer, end: number) => void): void;
  readonly linesSent: number;
  readonly connected: Promise<{ readonly linesTaken: number }>;
  acknowledge(end: number): void;
  detach(): void;
};

/** Null where the process ends with its channel. */
export function lastingOf(channel: Channel): LastingChannel | null {
  return channel.kind === 'socket' ? (channel as unknown as LastingChannel) : null;
}
