/** What whoever waits needs of an `AbortSignal`: to see that nobody wants it any more, and to be told. */
export type Signal = {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

/**
 * An `AbortController` and its signal in one, for what every call has and hardly any uses: those of Node are event
 * targets, and making one and listening to it was a thirtieth of a call (docs/performance.md).
 */
export class Withdrawal implements Signal {
  readonly #listeners: (() => void)[] = [];
  aborted = false;
  reason: unknown;

  /** Once: what was said first counts. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}

/** The same for what asks for one of Node's own. */
export function abortSignalOf(signal: Signal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
