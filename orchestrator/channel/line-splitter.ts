/**
 * Cuts a byte stream into lines at 0x0A. Bytes, not text: a UTF-8 character may be cut in two by a read, a
 * newline never is (docs/architecture.md, Framing). Works in time linear in the bytes, however they are sliced.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onLine: (line: Buffer) => void;
  readonly #onTooLong: () => void;
  /** The begin of an unfinished line; its capacity doubles, so a line that comes byte by byte stays linear. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #broken = false;

  /** @param onTooLong called once; nothing is handed out afterwards. */
  constructor(options: { maxLineBytes: number; onLine: (line: Buffer) => void; onTooLong: () => void }) {
    this.#maxLineBytes = options.maxLineBytes;
    this.#onLine = options.onLine;
    this.#onTooLong = options.onTooLong;
  }

  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (this.#broken) return;
      this.#finish(bytes.subarray(start, end));
      start = end + 1;
    }
    if (!this.#broken && start < bytes.length) this.#hold(bytes.subarray(start));
  }

  #finish(tail: Buffer): void {
    if (this.#heldBytes === 0) {
      if (tail.length > this.#maxLineBytes) return this.#tooLong();
      return this.#onLine(tail);
    }
    if (!this.#hold(tail)) return;
    const line = this.#held.subarray(0, this.#heldBytes);
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    this.#onLine(line);
  }

  /** @returns false when the line became too long. */
  #hold(bytes: Buffer): boolean {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#maxLineBytes) {
      this.#tooLong();
      return false;
    }
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2, 4096));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
    return true;
  }

  #tooLong(): void {
    this.#broken = true;
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    this.#onTooLong();
  }
}

const NEWLINE = 0x0a;
