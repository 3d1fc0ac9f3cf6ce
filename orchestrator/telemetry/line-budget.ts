/**
 * How many lines of one kind may be logged per window, so that one noisy replica cannot fill the log (and the
 * disk) for all. Windows are fixed: cheap, and exact enough for a log.
 */
export class LineBudget {
  readonly #perWindow: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { startedAt: number; used: number; suppressed: number }>();

  constructor(options: {
    readonly perWindow: number;
    readonly windowMs: number;
    readonly now: () => number;
  }) {
    this.#perWindow = options.perWindow;
    this.#windowMs = options.windowMs;
    this.#now = options.now;
  }

  /** Asks for one line. `suppressed` is how many were refused since the last one that was allowed. */
  spend(key: string): { readonly allowed: boolean; readonly suppressed: number } {
    const now = this.#now();
    const window = this.#windows.get(key);
    if (window === undefined || now - window.startedAt >= this.#windowMs) {
      if (window === undefined) this.#makeRoom();
      this.#windows.set(key, { startedAt: now, used: 1, suppressed: 0 });
      return { allowed: true, suppressed: window?.suppressed ?? 0 };
    }
    if (window.used < this.#perWindow) {
      window.used++;
      return { allowed: true, suppressed: 0 };
    }
    window.suppressed++;
    return { allowed: false, suppressed: 0 };
  }

  /** Session replicas come and go for ever; the oldest key goes first, and at worst gets a fresh window. */
  #makeRoom(): void {
    if (this.#windows.size < MAX_KEYS) return;
    const oldest = this.#windows.keys().next();
    if (!oldest.done) this.#windows.delete(oldest.value);
  }
}

const MAX_KEYS = 2_000;
