/** What a slot can be told. `deadlineMs` is how long the end of a process may take, calls in flight included. */
export type Command = {
  /**
   * - `start`: again after a stop, or at once where the slot waits
   * - `stop`: end the process, keep the container, start nothing until told
   * - `restart`: end the process and start it again in the same container
   * - `renew`: replace the container
   * - `close`: end the process, remove the container, be over
   */
  readonly kind: 'start' | 'stop' | 'restart' | 'renew' | 'close';
  readonly deadlineMs: number;
  /** Called when it has been carried out. */
  readonly done: () => void;
};

/** Commands for one slot, in order; `close` goes before all others, which it makes pointless. */
export class Inbox {
  readonly #commands: Command[] = [];
  #arrival = Promise.withResolvers<null>();

  put(command: Command): void {
    if (command.kind === 'close') this.#commands.unshift(command);
    else this.#commands.push(command);
    this.#arrival.resolve(null);
  }

  /** Settles when there is a command to take. */
  get arrived(): Promise<null> {
    return this.#arrival.promise;
  }

  get isEmpty(): boolean {
    return this.#commands.length === 0;
  }

  take(): Command | null {
    const command = this.#commands.shift() ?? null;
    if (this.#commands.length === 0) this.#arrival = Promise.withResolvers<null>();
    return command;
  }

  /** The slot is over: what was still asked of it is done with it. */
  drop(): void {
    for (const command of this.#commands.splice(0)) command.done();
  }
}
