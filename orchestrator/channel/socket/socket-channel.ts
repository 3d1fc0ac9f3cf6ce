import type { Socket } from 'node:net';
import type { Clock } from '../../kernel/index.ts';
import type { Channel, ChannelEnd } from '../channel.ts';
import { LineSplitter } from '../line-splitter.ts';
import { BoundedStderr } from '../stderr-ring.ts';
import { Doorway } from './doorway.ts';
import { ackFrame, bareFrame, FRAME, FrameError, FrameReader, welcomeFrame } from './frames.ts';
import type { Hello } from './hello.ts';
import { Outbox } from './outbox.ts';

/** Output a bridge keeps for us before it stops reading the server. */
const KEEP_BYTES = 1024 * 1024;
/** Told when so much of that was handed on, ... */
const ACK_STEP_BYTES = 64 * 1024;
/** ... or after this: with each line it would be a frame a call more for both sides. */
const ACK_MS = 100;

export type SocketChannelOptions = {
  /** The replica's directory, as this process sees it. */
  readonly directory: string;
  /** 32 bytes: `ChannelDirectories.secretOf`. */
  readonly secret: Buffer;
  readonly clock: Clock;
  /** A longer line on stdout ends the channel with `line_too_long`. */
  readonly maxLineBytes: number;
  /** How long the bridge waits for another owner when this one is gone; then it ends the server and itself. */
  readonly leaseMs: number;
  /** Offset of the first byte of stdout that is wanted; what was acknowledged does not come again in any case. */
  readonly resumeFrom?: number;
  /** `handed`: a line counts as processed when it was handed out. `owner`: when `acknowledge` says so. */
  readonly acknowledge?: 'handed' | 'owner';
};

/** Where a bridge and its owner have found each other. */
export type Resumed = {
  /** Offset of the first byte of stdout that comes now. */
  readonly outputFrom: number;
  /** Lines the bridge has taken since its start: these reach the server, later ones never do. */
  readonly linesTaken: number;
};

/**
 * A channel over a unix socket that the bridge in the container connects to. Output is kept there until it was processed
 * here, so a process that dies loses nothing; `detach` leaves the replica to the next one.
 */
export class SocketChannel implements Channel {
  readonly kind = 'socket';
  readonly stderr: BoundedStderr;
  readonly closed: Promise<ChannelEnd>;
  readonly connected: Promise<Resumed>;
  readonly #options: SocketChannelOptions;
  readonly #closing = Promise.withResolvers<ChannelEnd>();
  readonly #connecting = Promise.withResolvers<Resumed>();
  readonly #outbox = new Outbox();
  readonly #splitter: LineSplitter;
  #doorway: Doorway | null = null;
  #socket: Socket | null = null;
  #end: ChannelEnd | null = null;
  #onLine: ((line: Buffer, end: number) => void) | null = null;
  #early: { readonly line: Buffer; readonly end: number }[] = [];
  /** Behind the last whole line that came. */
  #linesEnd = 0;
  #acknowledged = 0;
  #toldAcknowledged = 0;
  #ackTimer: (() => void) | null = null;
  #hasExited = false;
  #isLeft = false;

  private constructor(options: SocketChannelOptions) {
    this.#options = options;
    this.stderr = new BoundedStderr(options.clock);
    this.closed = this.#closing.promise;
    this.connected = this.#connecting.promise;
    this.connected.catch(() => {}); // whoever does not wait for it hears of `closed`
    const { maxLineBytes } = options;
    this.#splitter = new LineSplitter({
      maxLineBytes,
      onLine: (line) => this.#takeLine(line),
      onTooLong: () => this.#giveUp({ why: 'line_too_long', maxLineBytes }),
    });
  }

  /** Resolves when the replica can connect: its container may be started. @throws a plain file system error */
  static async open(options: SocketChannelOptions): Promise<SocketChannel> {
    const channel = new SocketChannel(options);
    channel.#doorway = await Doorway.open({
      ...options,
      onProven: (socket, hello) => channel.#welcome(socket, hello),
    });
    return channel;
  }

  /** Lines sent since the container's start, by whatever owner: after `send`, the number of that line. */
  get linesSent(): number {
    return this.#outbox.linesSent;
  }

  get #isOver(): boolean {
    return this.#end !== null || this.#isLeft;
  }

  send(line: string): Promise<void> {
    if (this.#isOver) return Promise.reject(new Error('the channel is closed'));
    return this.#outbox.send(line);
  }

  onLine(listener: (line: Buffer, end: number) => void): void {
    this.#onLine = listener;
    for (const { line, end } of this.#early.splice(0)) this.#hand(line, end);
  }

  /**
   * Everything before this offset was processed for good; the bridge is told soon, and forgets it.
   * @param end of a line, as `onLine` gave it
   */
  acknowledge(end: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, end);
    if (this.#acknowledged - this.#toldAcknowledged >= ACK_STEP_BYTES) this.#tellAcknowledged();
    else this.#ackTimer ??= this.#options.clock.after(ACK_MS, () => this.#tellAcknowledged());
    this.#letGo();
  }

  end(): void {
    this.#outbox.end();
  }

  destroy(message: string): void {
    this.#giveUp({ why: 'destroyed', message });
  }

  /**
   * Hangs up and leaves the process, and its output from the last acknowledgement on, to the next owner. Nothing ends by
   * that, so neither `closed` nor what was sent settles any more; only what is sent afterwards is refused.
   */
  detach(): void {
    this.#tellAcknowledged();
    this.#isLeft = true;
    this.#doorway?.close();
    this.#outbox.hangUp();
  }

  #welcome(socket: Socket, hello: Hello): void {
    if (this.#isOver) return void socket.destroy();
    const { leaseMs, maxLineBytes, resumeFrom = 0 } = this.#options;
    if (resumeFrom > hello.outputEnd) {
      socket.destroy();
      return this.#finish(
        broken(`output from ${resumeFrom} on is wanted, the bridge has it to ${hello.outputEnd}`),
      );
    }
    const outputFrom = Math.max(resumeFrom, hello.outputFirst);
    this.#socket = socket;
    this.#linesEnd = this.#acknowledged = outputFrom;
    this.#toldAcknowledged = hello.outputFirst;
    const reader = new FrameReader({
      onPiece: (type, piece) => this.#takePiece(type, piece),
      onFrame: (type, payload) => this.#takeFrame(type, payload),
    });
    socket.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    // A reset is a hang-up too: whoever dies with something unread leaves one. `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#finish({ why: 'ended' }));
    // Twice a line: where one is too long, it is this side that has to find out.
    const keepLineBytes = 2 * maxLineBytes + KEEP_BYTES;
    socket.write(welcomeFrame({ leaseMs, keepBytes: KEEP_BYTES, keepLineBytes, outputFrom }));
    this.#outbox.open(socket, hello.linesTaken);
    this.#connecting.resolve({ outputFrom, linesTaken: hello.linesTaken });
  }

  #read(reader: FrameReader, chunk: Buffer): void {
    try {
      reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#giveUp(broken(error.message));
    }
  }

  #takePiece(type: number, piece: Buffer): void {
    if (this.#isOver) return;
    if (type === FRAME.stderr) this.stderr.push(piece);
    else this.#splitter.push(piece);
  }

  #takeFrame(type: number, payload: Buffer): void {
    if (type === FRAME.taken) return this.#outbox.taken(Number(payload.readBigUInt64BE(0)));
    if (type === FRAME.stderrLost) return this.stderr.lost(Number(payload.readBigUInt64BE(0)));
    if (type === FRAME.outputEnd) return this.#finish({ why: 'ended' });
    const signal = payload.readUInt32BE(4);
    this.#hasExited = true;
    this.#finish({
      why: 'ended',
      exit: { code: payload.readUInt32BE(0), signal: signal === 0 ? null : signal },
    });
    this.#letGo();
  }

  #takeLine(line: Buffer): void {
    this.#linesEnd += line.length + 1;
    if (this.#onLine === null) this.#early.push({ line, end: this.#linesEnd });
    else this.#hand(line, this.#linesEnd);
  }

  #hand(line: Buffer, end: number): void {
    this.#onLine?.(line, end);
    if (this.#options.acknowledge !== 'owner') this.acknowledge(end);
  }

  #tellAcknowledged(): void {
    this.#ackTimer?.();
    this.#ackTimer = null;
    if (this.#acknowledged <= this.#toldAcknowledged || this.#socket?.writable !== true) return;
    this.#toldAcknowledged = this.#acknowledged;
    this.#outbox.push(ackFrame(this.#acknowledged));
  }

  /** The process has ended and all it said was processed: the bridge has nothing left to stay for. */
  #letGo(): void {
    if (!this.#hasExited || this.#acknowledged < this.#linesEnd || this.#socket?.writable !== true) return;
    this.#outbox.hangUp(bareFrame(FRAME.bye));
  }

  /** Nobody will come back for this process: it may end. */
  #giveUp(end: ChannelEnd): void {
    this.#finish(end);
    this.#doorway?.close();
    if (this.#socket?.writable === true) this.#outbox.hangUp(bareFrame(FRAME.bye));
  }

  #finish(end: ChannelEnd): void {
    if (this.#isOver) return;
    this.#end = end;
    this.#ackTimer?.();
    this.stderr.end();
    this.#outbox.close();
    this.#connecting.reject(new Error('the channel is closed'));
    this.#closing.resolve(end);
  }
}

function broken(message: string): ChannelEnd {
  return { why: 'transport', error: new Error(message) };
}
