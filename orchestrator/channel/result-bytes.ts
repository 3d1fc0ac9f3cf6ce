/**
 * A result as its server wrote it. Most are passed on as these bytes and looked into by nobody, so text and value are
 * made only for whoever asks. The grammar has been checked: nothing here can fail.
 */
export class ResultBytes {
  readonly ok = true;
  /** UTF-8, without white space around it. */
  readonly bytes: Buffer;
  #raw: string | null = null;
  #result: unknown;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get raw(): string {
    const raw = this.#raw ?? this.bytes.toString('utf8');
    this.#raw = raw;
    return raw;
  }

  get result(): unknown {
    if (this.#result === undefined) this.#result = JSON.parse(this.raw);
    return this.#result;
  }
}
