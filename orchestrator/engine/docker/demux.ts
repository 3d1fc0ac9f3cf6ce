/** What a frame carries. Docker's fourth type, an error of the daemon, ends the stream instead. */
export type StreamKind = 'stdout' | 'stderr';

/** The byte stream is not what it should be, or the daemon reported an error in it. Nothing after it is usable. */
export class DemuxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DemuxError';
  }
}

const HEADER_BYTES = 8;
/** As much of a daemon's error text as is worth keeping. */
const MAX_ERROR_BYTES = 1024;

/**
 * Takes Docker's multiplexed attach stream apart. A frame is 8 bytes of header (type, three zeros, payload
 * length big-endian) and a payload. Frames are not messages: a long line spans many, and one read may hold
 * half a header, so payloads are handed out piece by piece as they arrive.
 *
 * It walks offsets: no recursion (a chunk may hold thousands of tiny frames) and no copying (a frame may be
 * 32 MiB). The pieces handed out are views of the chunk.
 */
export class Demuxer {
  readonly #onPayload: (kind: StreamKind, piece: Buffer) => void;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFill = 0;
  #type = 0;
  #remaining = 0;
  #errorText = '';

  constructor(onPayload: (kind: StreamKind, piece: Buffer) => void) {
    this.#onPayload = onPayload;
  }

  /** True where the stream may end: not inside a header or a payload. */
  get atBoundary(): boolean {
    return this.#headerFill === 0 && this.#remaining === 0;
  }

  /** @throws DemuxError on a malformed header, or once an error frame is complete. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset = this.#remaining > 0 ? this.#takePayload(chunk, offset) : this.#takeHeader(chunk, offset);
    }
  }

  #takeHeader(chunk: Buffer, start: number): number {
    let offset = start;
    while (offset < chunk.length && this.#headerFill < HEADER_BYTES) {
      this.#header[this.#headerFill++] = chunk[offset++] as number;
    }
    if (this.#headerFill < HEADER_BYTES) return offset;
    this.#headerFill = 0;
    const [type = 255, a, b, c] = this.#header;
    if (type > 3 || a !== 0 || b !== 0 || c !== 0) {
      throw new DemuxError(`malformed frame header ${this.#header.toString('hex')}`);
    }
    this.#type = type;
    this.#remaining = this.#header.readUInt32BE(4);
    if (this.#remaining === 0 && type === 3)
      throw new DemuxError('the engine reported an error in the stream');
    return offset;
  }

  #takePayload(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#remaining);
    this.#remaining -= end - offset;
    const piece = chunk.subarray(offset, end);
    // 0 is stdin echoed by the protocol; like Docker's own reader, treat it as output.
    if (this.#type === 3) this.#takeError(piece);
    else this.#onPayload(this.#type === 2 ? 'stderr' : 'stdout', piece);
    return end;
  }

  #takeError(piece: Buffer): void {
    const room = MAX_ERROR_BYTES - this.#errorText.length;
    if (room > 0) this.#errorText += piece.subarray(0, room).toString('latin1');
    if (this.#remaining === 0) throw new DemuxError(`the engine reported: ${this.#errorText}`);
  }
}
