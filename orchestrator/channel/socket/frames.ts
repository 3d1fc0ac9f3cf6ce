/** The framed protocol with `bridge-image/init`; its PROTOCOL.md says what the frames mean. */
export const FRAME = {
  hello: 1,
  output: 2,
  stderr: 3,
  stderrLost: 4,
  taken: 5,
  outputEnd: 6,
  exit: 7,
  welcome: 16,
  input: 17,
  ack: 18,
  end: 19,
  bye: 20,
} as const;

export const HEADER_BYTES = 8;

/** Lengths of the frames that are gathered whole. */
const WHOLE: Readonly<Record<number, number>> = {
  [FRAME.stderrLost]: 8,
  [FRAME.taken]: 8,
  [FRAME.outputEnd]: 0,
  [FRAME.exit]: 8,
};
const MAX_PIECES_BYTES = 2 ** 20;

/** The bytes are no frames that a bridge sends here. Nothing after them is usable. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FrameError';
  }
}

type Sink = {
  /** Output and stderr come in pieces, as they were read. */
  readonly onPiece: (type: number, piece: Buffer) => void;
  readonly onFrame: (type: number, payload: Buffer) => void;
};

/** Takes a bridge's frames apart, however they are sliced. Walks offsets: no recursion, pieces are views of the chunk. */
export class FrameReader {
  readonly #sink: Sink;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFill = 0;
  #type = 0;
  #left = 0;
  readonly #whole = Buffer.alloc(8);
  #wholeFill = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** @throws FrameError */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length)
      at = this.#left > 0 ? this.#takePayload(chunk, at) : this.#takeHeader(chunk, at);
  }

  #takeHeader(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + HEADER_BYTES - this.#headerFill);
    this.#headerFill += chunk.copy(this.#header, this.#headerFill, start, end);
    if (this.#headerFill < HEADER_BYTES) return end;
    this.#headerFill = 0;
    this.#type = this.#header[0] ?? 0;
    this.#left = this.#header.readUInt32BE(4);
    this.#wholeFill = 0;
    if (!isExpected(this.#header, this.#left)) {
      throw new FrameError(`unexpected frame header ${this.#header.toString('hex')}`);
    }
    if (this.#left === 0) this.#sink.onFrame(this.#type, EMPTY);
    return end;
  }

  #takePayload(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#left);
    this.#left -= end - start;
    if (this.#type === FRAME.output || this.#type === FRAME.stderr) {
      this.#sink.onPiece(this.#type, chunk.subarray(start, end));
      return end;
    }
    this.#wholeFill += chunk.copy(this.#whole, this.#wholeFill, start, end);
    if (this.#left === 0) this.#sink.onFrame(this.#type, this.#whole.subarray(0, this.#wholeFill));
    return end;
  }
}

const EMPTY = Buffer.alloc(0);

function isExpected(header: Buffer, length: number): boolean {
  const [type = 0, a, b, c] = header;
  if (a !== 0 || b !== 0 || c !== 0) return false;
  if (type === FRAME.output || type === FRAME.stderr) return length > 0 && length <= MAX_PIECES_BYTES;
  return WHOLE[type] === length;
}

/** A frame with room for so many bytes of payload behind its header. */
function frameOf(type: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(type * 2 ** 24, 0);
  frame.writeUInt32BE(length, 4);
  return frame;
}

/** One line for the server; the newline is added here. */
export function inputFrame(line: string): Buffer {
  const length = Buffer.byteLength(line) + 1;
  const frame = frameOf(FRAME.input, length);
  frame.write(line, HEADER_BYTES);
  frame[HEADER_BYTES + length - 1] = 0x0a;
  return frame;
}

export function ackFrame(offset: number): Buffer {
  const frame = frameOf(FRAME.ack, 8);
  frame.writeBigUInt64BE(BigInt(offset), HEADER_BYTES);
  return frame;
}

export function bareFrame(type: number): Buffer {
  return frameOf(type, 0);
}

export type Welcome = {
  readonly leaseMs: number;
  /** So much unacknowledged output is kept before the server is not read any more; an unfinished line may be `keepLineBytes` long. */
  readonly keepBytes: number;
  readonly keepLineBytes: number;
  /** Offset of the first byte of output that is sent now. */
  readonly outputFrom: number;
};

export function welcomeFrame({ leaseMs, keepBytes, keepLineBytes, outputFrom }: Welcome): Buffer {
  const frame = frameOf(FRAME.welcome, 20);
  frame.writeUInt32BE(leaseMs, HEADER_BYTES);
  frame.writeUInt32BE(keepBytes, HEADER_BYTES + 4);
  frame.writeUInt32BE(Math.min(keepLineBytes, 2 ** 32 - 1), HEADER_BYTES + 8);
  frame.writeBigUInt64BE(BigInt(outputFrom), HEADER_BYTES + 12);
  return frame;
}
