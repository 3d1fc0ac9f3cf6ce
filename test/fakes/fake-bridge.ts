import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { FRAME, HEADER_BYTES } from '../../orchestrator/channel/socket/frames.ts';
import { type FakeExit, FakeProcess, type FakeProgram } from './fake-process.ts';

/** Nothing tells a bridge that somebody listens again: it tries. */
const RETRY_MS = 10;
const NEWLINE = 0x0a;

/** The twin of `bridge-image/init`: a program in this process, whose streams go over a real socket in the same frames. */
export class FakeBridge {
  readonly #path: string;
  readonly #secret: Buffer;
  readonly #program: FakeProgram;
  readonly #onExit: (exit: FakeExit) => void;
  #process: FakeProcess | null = null;
  #socket: Socket | null = null;
  #isWelcome = false;
  #isOver = false;
  #said = Buffer.alloc(0);
  /** Output from `#first` on, which nobody has acknowledged. */
  #output = Buffer.alloc(0);
  #first = 0;
  #linesTaken = 0;
  #exit: Buffer | null = null;

  /** Connects, again and again, until it is told that nobody comes back. */
  constructor(options: {
    directory: string;
    secret: Buffer;
    program: FakeProgram;
    onExit?: (exit: FakeExit) => void;
  }) {
    this.#onExit = options.onExit ?? (() => {});
    this.#path = join(options.directory, 'socket');
    this.#secret = options.secret;
    this.#program = options.program;
    this.#connect();
  }

  get process(): FakeProcess {
    if (this.#process === null) throw new Error('nobody has welcomed the bridge yet');
    return this.#process;
  }

  /** Dies with its process, as a container that is killed. */
  die(): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  /** Says something that is no frame. */
  babble(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }

  #connect(): void {
    if (this.#isOver) return;
    const socket = connect(this.#path);
    this.#socket = socket;
    this.#said = Buffer.alloc(0);
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => {
      this.#isWelcome = false;
      setTimeout(() => this.#connect(), RETRY_MS);
    });
    socket.on('data', (bytes) => this.#read(bytes));
    const numbers = [this.#first, this.#first + this.#output.length, this.#linesTaken];
    this.#send(FRAME.hello, Buffer.from([0, 0, 0, 1]), this.#secret, ...numbers.map(u64));
  }

  #send(type: number, ...payload: readonly Buffer[]): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header[0] = type;
    header.writeUInt32BE(Buffer.concat(payload).length, 4);
    this.#socket?.write(Buffer.concat([header, ...payload]));
  }

  #read(bytes: Buffer): void {
    this.#said = Buffer.concat([this.#said, bytes]);
    while (this.#said.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#said.readUInt32BE(4);
      if (this.#said.length < end) return;
      const [type = 0] = this.#said;
      const payload = this.#said.subarray(HEADER_BYTES, end);
      this.#said = this.#said.subarray(end);
      this.#take(type, payload);
    }
  }

  #take(type: number, payload: Buffer): void {
    if (type === FRAME.welcome) this.#begin(Number(payload.readBigUInt64BE(12)));
    if (type === FRAME.input) this.#input(payload);
    if (type === FRAME.end) this.#process?.receiveEnd();
    if (type === FRAME.ack) {
      const offset = Number(payload.readBigUInt64BE(0));
      this.#output = this.#output.subarray(offset - this.#first);
      this.#first = offset;
    }
    if (type === FRAME.bye) this.die();
  }

  #input(line: Buffer): void {
    if (line.at(-1) !== NEWLINE) throw new Error('an input frame is one whole line');
    this.#linesTaken++;
    this.#process?.receive(Buffer.from(line));
    if (isHeard(this.#program)) this.#send(FRAME.taken, u64(line.length));
  }

  #begin(from: number): void {
    this.#isWelcome = true;
    const rest = this.#output.subarray(from - this.#first);
    for (let at = 0; at < rest.length; at += 65_536) this.#send(FRAME.output, rest.subarray(at, at + 65_536));
    if (this.#exit !== null) this.#send(FRAME.exit, this.#exit);
    if (this.#process !== null) return;
    this.#process = new FakeProcess({
      args: [],
      env: {},
      onOutput: (kind, bytes) => this.#print(kind, bytes),
      onOutputEnd: () => this.#send(FRAME.outputEnd),
      onExit: (exit) => {
        const { code } = exit;
        this.#exit = Buffer.concat([u32(code > 128 ? 0 : code), u32(code > 128 ? code - 128 : 0)]);
        if (this.#isWelcome) this.#send(FRAME.exit, this.#exit);
        this.#onExit(exit);
      },
    });
    this.#program(this.#process);
  }

  #print(kind: 'stdout' | 'stderr', bytes: Buffer): void {
    const type = kind === 'stdout' ? FRAME.output : FRAME.stderr;
    if (kind === 'stdout') this.#output = Buffer.concat([this.#output, bytes]);
    if (!this.#isWelcome) return;
    for (let at = 0; at < bytes.length; at += 65_536) this.#send(type, bytes.subarray(at, at + 65_536));
  }
}

/** A program without parameters never listens: what is sent to it stays where it is. */
function isHeard(program: FakeProgram): boolean {
  return program.length > 0;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
