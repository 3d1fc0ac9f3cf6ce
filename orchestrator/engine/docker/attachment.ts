import type { Duplex } from 'node:stream';
import type { Attachment } from '../engine.ts';
import { Demuxer, type StreamKind } from './demux.ts';

type Listener = (bytes: Buffer) => void;

/**
 * One upgraded connection as an attachment. Nothing is read before the first listener is set, so early
 * output waits in the socket; set both listeners in the same turn. After that the socket is always drained:
 * a slow reader would stall the process at the other end, so limits belong to the layers above.
 */
export class SocketAttachment implements Attachment {
  readonly closed: Promise<{ readonly error: Error | null }>;
  readonly #socket: Duplex;
  readonly #listeners: Record<StreamKind, Listener[]> = { stdout: [], stderr: [] };
  readonly #demuxer: Demuxer;
  readonly #settle: (end: { error: Error | null }) => void;
  #open = true;
  #reading = false;
  #drain: PromiseWithResolvers<void> | null = null;

  constructor(socket: Duplex, head: Buffer) {
    const { promise, resolve } = Promise.withResolvers<{ readonly error: Error | null }>();
    this.closed = promise;
    this.#settle = resolve;
    this.#socket = socket;
    this.#demuxer = new Demuxer((kind, piece) => {
      for (const listener of this.#listeners[kind]) listener(piece);
    });
    socket.pause();
    if (head.length > 0) socket.unshift(head);
    socket.on('error', (error) => this.#finish(error));
    socket.on('end', () => this.#finish(this.#demuxer.atBoundary ? null : new Error('cut inside a frame')));
    socket.on('close', () => this.#finish(new Error('connection closed')));
    socket.on('drain', () => {
      this.#drain?.resolve();
      this.#drain = null;
    });
  }

  onStdout(listener: Listener): void {
    this.#listeners.stdout.push(listener);
    this.#read();
  }

  onStderr(listener: Listener): void {
    this.#listeners.stderr.push(listener);
    this.#read();
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    if (!this.#open || !this.#socket.writable) throw new Error('stdin is closed');
    if (this.#socket.write(bytes)) return;
    this.#drain ??= Promise.withResolvers<void>();
    await this.#drain.promise;
  }

  /** Half-close; what the process still writes keeps arriving. */
  end(): void {
    this.#read();
    if (this.#open) this.#socket.end();
  }

  destroy(): void {
    this.#finish(null);
  }

  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    // Deferred, so that the second listener set in this turn misses nothing.
    setImmediate(() => {
      if (!this.#open) return;
      this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
      this.#socket.resume();
    });
  }

  #take(chunk: Buffer): void {
    if (!this.#open) return;
    try {
      this.#demuxer.push(chunk);
    } catch (error) {
      this.#finish(error as Error);
    }
  }

  /** The first cause wins: a reset after the end, while unread input is thrown away, is no failure. */
  #finish(error: Error | null): void {
    if (!this.#open) return;
    this.#open = false;
    const drain = this.#drain;
    this.#drain = null;
    drain?.reject(error ?? new Error('stdin is closed'));
    this.#socket.destroy();
    this.#settle({ error });
  }
}
