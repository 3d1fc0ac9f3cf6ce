import type { Channel } from './channel.ts';
import { type LastingChannel, lastingOf } from './lasting-channel.ts';

/** What is remembered elsewhere of what a process said, as far as it matters when it may forget it. */
export type Memory = {
  /** Null where everything is remembered; else settles when it is, or is lost. */
  readonly unwritten: Promise<void> | null;
  /** Asked whenever something is written, to add how far was read. @returns a function that ends this. */
  accompany(add: () => void): () => void;
  /** All output up to this offset has led to what it leads to. */
  heard(end: number): void;
};

/** Takes the lines of a channel, and acknowledges them where its process outlives this one. */
export function takeLines(channel: Channel, memory: Memory | null, take: (line: Buffer) => void): void {
  const lasting = lastingOf(channel);
  if (lasting === null) return channel.onLine(take);
  const acknowledger = new Acknowledger(lasting, memory ?? NOTHING_REMEMBERED);
  lasting.onLine((line, end) => {
    take(line);
    acknowledger.heard(end);
  });
}

const NOTHING_REMEMBERED: Memory = { unwritten: null, accompany: () => () => {}, heard: () => {} };

/**
 * Tells a process that outlives this one how much of its output is dealt with, so that it may forget it: once a turn,
 * and not before what came of it is remembered elsewhere. What was not acknowledged is said again to the next owner, who
 * begins behind what is remembered.
 */
class Acknowledger {
  readonly #channel: LastingChannel;
  readonly #memory: Memory;
  #end = 0;
  #notedEnd = 0;
  #isDue = false;

  constructor(channel: LastingChannel, memory: Memory) {
    this.#channel = channel;
    this.#memory = memory;
    const stop = memory.accompany(() => this.#note());
    void channel.closed.then(stop);
  }

  /** A line was handed out that ends there. What it leads to happens before the event loop turns. */
  heard(end: number): void {
    this.#end = end;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#isDue = false;
    const end = this.#end;
    const { unwritten } = this.#memory;
    if (unwritten === null) this.#channel.acknowledge(end);
    else void unwritten.then(() => this.#channel.acknowledge(end));
  }

  #note(): void {
    if (this.#end === this.#notedEnd) return;
    this.#notedEnd = this.#end;
    this.#memory.heard(this.#end);
  }
}
