import type { Socket } from 'node:net';
import { bareFrame, FRAME, HEADER_BYTES, inputFrame } from './frames.ts';

/** Input that may be at a bridge and not yet at its server: what one that does not read makes the bridge hold. */
const WINDOW_BYTES = 1024 * 1024;

/** With more in a turn a write for the first alone costs more than what it saves that one. */
const MANY_FRAMES = 2;

type Waiting = { readonly frame: Buffer; readonly sent: PromiseWithResolvers<void> };

/**
 * What goes to a bridge: lines in order, within a window. The first frame of a turn of the event loop is written at once
 * and those behind it leave together at the turn's end, for the same reason as in `../outbox.ts`; where the turn before
 * had many too, all of them leave together.
 */
export class Outbox {
  readonly #waiting: Waiting[] = [];
  #socket: Socket | null = null;
  #isOpen = true;
  /** Of this turn, in order. */
  #gathered: Buffer[] = [];
  #framesOfTurn = 0;
  #isBusy = false;
  #ends = false;
  #untakenBytes = 0;
  #linesSent = 0;

  get linesSent(): number {
    return this.#linesSent;
  }

  /** The bridge is there. @param linesTaken the number of the last line that it has taken */
  open(socket: Socket, linesTaken: number): void {
    this.#socket = socket;
    this.#linesSent += linesTaken;
    this.#flush();
  }

  /** Resolves when the line has left; waits while there is no bridge, or its server does not read. */
  send(line: string): Promise<void> {
    if (this.#ends) return Promise.reject(new Error('stdin is closed'));
    this.#linesSent++;
    const frame = inputFrame(line);
    if (this.#mayWrite()) {
      this.#write(frame);
      return SENT;
    }
    const sent = Promise.withResolvers<void>();
    this.#waiting.push({ frame, sent });
    return sent.promise;
  }

  /** A frame that is no input. */
  push(frame: Buffer): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#framesOfTurn++;
    if (this.#framesOfTurn === 1) setImmediate(() => this.#endTurn());
    if (this.#framesOfTurn === 1 && !this.#isBusy) socket.write(frame);
    else this.#gathered.push(frame);
  }

  /** Everything pushed has left before this. */
  hangUp(frame?: Buffer): void {
    this.#writeGathered();
    if (frame !== undefined) this.#socket?.write(frame);
    this.#socket?.end();
  }

  /** End of input, once everything before it has left. */
  end(): void {
    if (this.#ends) return;
    this.#ends = true;
    this.#flush();
  }

  /** The bridge has written so much to its server. What the owner before had sent may be among it. */
  taken(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
    this.#flush();
  }

  close(): void {
    this.#isOpen = false;
    for (const { sent } of this.#waiting.splice(0)) sent.reject(new Error('the channel is closed'));
  }

  #endTurn(): void {
    this.#isBusy = this.#framesOfTurn > MANY_FRAMES;
    this.#framesOfTurn = 0;
    this.#writeGathered();
  }

  #writeGathered(): void {
    if (this.#gathered.length === 0) return;
    const frames = this.#gathered;
    this.#gathered = [];
    // One buffer and not a corked stream: what a stream keeps for each piece costs more than the copy.
    this.#socket?.write(Buffer.concat(frames));
  }

  #mayWrite(): boolean {
    return this.#waiting.length === 0 && this.#hasRoom();
  }

  #hasRoom(): boolean {
    return this.#isOpen && this.#socket !== null && this.#untakenBytes < WINDOW_BYTES;
  }

  #flush(): void {
    while (this.#hasRoom()) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#write(next.frame);
      next.sent.resolve();
    }
    if (this.#ends && this.#isOpen && this.#socket !== null && this.#waiting.length === 0) {
      this.push(bareFrame(FRAME.end));
      this.#isOpen = false;
    }
  }

  #write(frame: Buffer): void {
    this.#untakenBytes += frame.length - HEADER_BYTES;
    this.push(frame);
  }
}

const SENT = Promise.resolve();
