import type { Channel, ChannelEnd } from '../../orchestrator/channel/channel.ts';
import { BoundedStderr } from '../../orchestrator/channel/stderr-ring.ts';
import { systemClock } from '../../orchestrator/kernel/index.ts';

/** A message as the process reads it. */
export type SentMessage = {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: unknown;
};

/** A channel whose other end is the test: it sees what was sent and says what the process prints. */
export class FakeChannel implements Channel {
  readonly kind: Channel['kind'] = 'attach';
  readonly stderr = new BoundedStderr(systemClock);
  readonly sent: SentMessage[] = [];
  /** Plays the process; called in a later turn, as a real process would answer. */
  onSent: (message: SentMessage) => void = () => {};
  readonly closed: Promise<ChannelEnd>;
  readonly #close: (end: ChannelEnd) => void;
  #listener: (line: Buffer) => void = () => {};

  constructor() {
    const { promise, resolve } = Promise.withResolvers<ChannelEnd>();
    this.closed = promise;
    this.#close = resolve;
  }

  async send(line: string): Promise<void> {
    const message = JSON.parse(line) as SentMessage;
    this.sent.push(message);
    queueMicrotask(() => this.onSent(message));
  }

  onLine(listener: (line: Buffer) => void): void {
    this.#listener = listener;
  }

  print(message: object | string): void {
    this.#listener(
      Buffer.from(typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })),
    );
  }

  end(): void {
    this.#close({ why: 'ended' });
  }

  destroy(message: string): void {
    this.#close({ why: 'destroyed', message });
  }
}
