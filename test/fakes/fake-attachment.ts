import type { Attachment } from '../../orchestrator/engine/index.ts';

type Kind = 'stdout' | 'stderr';
type Listener = (bytes: Buffer) => void;

/** The caller's end of a fake container's stdio. Output waits until the first listener is set. */
export class FakeAttachment implements Attachment {
  readonly closed: Promise<{ readonly error: Error | null }>;
  readonly #settle: (end: { error: Error | null }) => void;
  readonly #onInput: (bytes: Buffer) => void;
  readonly #onInputEnd: () => void;
  readonly #listeners: Record<Kind, Listener[]> = { stdout: [], stderr: [] };
  #early: (() => void)[] | null = [];
  #open = true;
  #writable = true;

  constructor(onInput: (bytes: Buffer) => void, onInputEnd: () => void) {
    const { promise, resolve } = Promise.withResolvers<{ readonly error: Error | null }>();
    this.closed = promise;
    this.#settle = resolve;
    this.#onInput = onInput;
    this.#onInputEnd = onInputEnd;
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    if (!this.#open || !this.#writable) throw new Error('stdin is closed');
    this.#onInput(Buffer.from(bytes as Uint8Array));
  }

  onStdout(listener: Listener): void {
    this.#listeners.stdout.push(listener);
    this.#begin();
  }

  onStderr(listener: Listener): void {
    this.#listeners.stderr.push(listener);
    this.#begin();
  }

  end(): void {
    this.#begin();
    if (!this.#writable) return;
    this.#writable = false;
    this.#onInputEnd();
  }

  /** Like a dropped connection: the process sees end of input. */
  destroy(): void {
    this.end();
    this.#finish(null);
  }

  /** For the engine. */
  deliver(kind: Kind, bytes: Buffer): void {
    this.#inOrder(() => {
      for (const listener of this.#listeners[kind]) listener(bytes);
    });
  }

  /** For the engine: the process is over (null), or the connection broke. */
  close(error: Error | null): void {
    this.#inOrder(() => this.#finish(error));
  }

  #inOrder(task: () => void): void {
    if (this.#early === null) task();
    else this.#early.push(task);
  }

  #begin(): void {
    setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = null;
      for (const task of early) task();
    });
  }

  #finish(error: Error | null): void {
    if (!this.#open) return;
    this.#open = false;
    this.#writable = false;
    this.#settle({ error });
  }
}
