/** Lets at most `width` tasks run at once; the others wait in order. The machine may be small. */
export class Gate {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#width) {
      // The one who leaves hands its place over, so `#inside` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#inside++;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside--;
      else next();
    }
  }
}

/** Standing replicas and spares come up three at a time, sessions four: more would only slow each other down on two cores. */
const PARALLEL_STARTS = 3;
const PARALLEL_SESSION_STARTS = 4;

/** The gates that all servers of a mesh start through. */
export function startGates(): { readonly standingGate: Gate; readonly sessionGate: Gate } {
  return { standingGate: new Gate(PARALLEL_STARTS), sessionGate: new Gate(PARALLEL_SESSION_STARTS) };
}
