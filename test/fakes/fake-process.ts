import { constants } from 'node:os';

/** A program of the fake engine: a function that is called once per started container. */
export type FakeProgram = (io: FakeProcess) => void;

export type FakeExit = { readonly code: number; readonly outOfMemory: boolean };

type Hooks = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput: (kind: 'stdout' | 'stderr', bytes: Buffer) => void;
  readonly onOutputEnd: () => void;
  readonly onExit: (exit: FakeExit) => void;
};

/** What a program sees of its container: stdin, the two outputs, signals, and ways to end. */
export class FakeProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly #hooks: Hooks;
  #exited = false;
  #paused = false;
  #waiting: (() => void)[] = [];
  #onBytes: (bytes: Buffer) => void = () => {};
  #onEnd: () => void = () => {};
  #onTerm: (() => void) | null = null;

  constructor(hooks: Hooks) {
    this.args = hooks.args;
    this.env = hooks.env;
    this.#hooks = hooks;
  }

  get exited(): boolean {
    return this.#exited;
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#onBytes = listener;
  }

  /** Complete lines of stdin, without the newline. */
  onLine(listener: (line: string) => void): void {
    let rest = '';
    this.onBytes((bytes) => {
      const parts = (rest + bytes.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) listener(line);
    });
  }

  /** End of input. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** Without a listener TERM ends the process, as it does behind an init. */
  onTerm(listener: () => void): void {
    this.#onTerm = listener;
  }

  stdout(bytes: string | Buffer): void {
    this.#output('stdout', bytes);
  }

  stderr(bytes: string | Buffer): void {
    this.#output('stderr', bytes);
  }

  /** Closes both outputs; the process lives on. */
  closeOutput(): void {
    this.#later(() => this.#hooks.onOutputEnd());
  }

  exit(code: number): void {
    this.#end({ code, outOfMemory: false });
  }

  /** What the kernel does to a process that uses more memory than its limit. */
  outOfMemory(): void {
    this.#end({ code: 128 + constants.signals.SIGKILL, outOfMemory: true });
  }

  /** For the engine: bytes arrive on stdin. */
  receive(bytes: Buffer): void {
    this.#later(() => this.#onBytes(bytes));
  }

  /** For the engine: stdin is closed. */
  receiveEnd(): void {
    this.#later(() => this.#onEnd());
  }

  /** For the engine: KILL acts at once, also on a paused process. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGTERM' && this.#onTerm !== null) this.#later(this.#onTerm);
    else this.exit(128 + constants.signals[signal]);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const task of waiting) this.#later(task);
  }

  #output(kind: 'stdout' | 'stderr', bytes: string | Buffer): void {
    this.#later(() => this.#hooks.onOutput(kind, Buffer.from(bytes)));
  }

  #end(exit: FakeExit): void {
    // After what was written before; KILL while paused does not wait.
    setImmediate(() => {
      if (this.#exited) return;
      this.#exited = true;
      this.#hooks.onExit(exit);
    });
  }

  /** Never in the caller's turn: a real process is never that close. A paused process does nothing. */
  #later(task: () => void): void {
    setImmediate(() => {
      if (this.#exited) return;
      if (this.#paused) this.#waiting.push(task);
      else task();
    });
  }
}
