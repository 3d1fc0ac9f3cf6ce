import type { Attachment } from '../engine/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { Channel, ChannelEnd } from './channel.ts';
import { LineSplitter } from './line-splitter.ts';
import { Outbox } from './outbox.ts';
import { BoundedStderr } from './stderr-ring.ts';

export type AttachChannelOptions = {
  readonly attachment: Attachment;
  readonly clock: Clock;
  /** A longer line on stdout ends the channel with `line_too_long`. */
  readonly maxLineBytes: number;
};

/**
 * A channel over the engine's attach stream. The socket is always drained: a paused reader would block the
 * container's output for everybody (moby/moby#22502), so limits are applied above, never by waiting here.
 */
export function attachChannel({ attachment, clock, maxLineBytes }: AttachChannelOptions): Channel {
  const stderr = new BoundedStderr(clock);
  const outbox = new Outbox((text) => attachment.write(text));
  const { promise: closed, resolve } = Promise.withResolvers<ChannelEnd>();
  let end: ChannelEnd | null = null;
  let onLine: ((line: Buffer) => void) | null = null;
  /** Lines that came before anybody listened; the handshake begins with silence, so this stays small. */
  let early: Buffer[] = [];

  const finish = (why: ChannelEnd): void => {
    if (end !== null) return;
    end = why;
    stderr.end();
    resolve(why);
  };
  const splitter = new LineSplitter({
    maxLineBytes,
    onLine: (line) => (onLine === null ? early.push(line) : onLine(line)),
    onTooLong: () => {
      finish({ why: 'line_too_long', maxLineBytes });
      attachment.destroy();
    },
  });

  attachment.onStdout((bytes) => {
    if (end === null) splitter.push(bytes);
  });
  attachment.onStderr((bytes) => stderr.push(bytes));
  void attachment.closed.then(({ error }) =>
    finish(error === null ? { why: 'ended' } : { why: 'transport', error }),
  );

  return {
    kind: 'attach',
    stderr,
    closed,
    send: (line) => (end === null ? outbox.send(line) : Promise.reject(new Error('the channel is closed'))),
    onLine(listener) {
      onLine = listener;
      const waiting = early;
      early = [];
      for (const line of waiting) listener(line);
    },
    end() {
      outbox.flush();
      attachment.end();
    },
    destroy(message) {
      finish({ why: 'destroyed', message });
      attachment.destroy();
    },
  };
}
