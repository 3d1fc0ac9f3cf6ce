/**
 * Lines on their way to a process. The first one of a turn of the event loop is written at once, so that a call that is
 * alone waits for nothing. Those behind it leave together at the turn's end: with many calls in flight a system call for
 * each of them would be the largest part of what they cost. Order is kept.
 */
export class Outbox {
  readonly #write: (text: string) => Promise<void>;
  #waiting: string[] = [];
  #whenWritten = Promise.withResolvers<void>();
  #turnIsOpen = false;

  /** @param write as `Attachment.write`: rejects when nothing can be written any more. */
  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  /** The newline is added here. Resolves when the bytes were handed over and more can be. Rejects as `write` does. */
  send(line: string): Promise<void> {
    if (this.#turnIsOpen) {
      this.#waiting.push(line);
      return this.#whenWritten.promise;
    }
    this.#turnIsOpen = true;
    setImmediate(() => {
      this.#turnIsOpen = false;
      this.flush();
    });
    return this.#write(`${line}\n`);
  }

  /** Writes what still waits for the end of the turn: nothing may be written behind what comes now. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const text = `${this.#waiting.join('\n')}\n`;
    const { resolve, reject } = this.#whenWritten;
    this.#waiting = [];
    this.#whenWritten = Promise.withResolvers<void>();
    this.#write(text).then(resolve, reject);
  }
}
