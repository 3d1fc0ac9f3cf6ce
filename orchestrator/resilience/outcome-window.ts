/** Outcomes are kept by the tenth of a window: constant memory, and at most a tenth is forgotten early. */
const SLICES = 10;

type Slice = { readonly startMs: number; ok: number; failed: number };

/** How many calls went well and how many did not, within a window that ends now. */
export class OutcomeWindow {
  #slices: Slice[] = [];

  add(failed: boolean, nowMs: number, windowMs: number): void {
    this.#forget(nowMs, windowMs);
    let slice = this.#slices.at(-1);
    if (slice === undefined || nowMs >= slice.startMs + windowMs / SLICES) {
      slice = { startMs: nowMs, ok: 0, failed: 0 };
      this.#slices.push(slice);
    }
    if (failed) slice.failed++;
    else slice.ok++;
  }

  /** Never counts what is older than `windowMs`, which may differ from call to call. */
  totals(nowMs: number, windowMs: number): { readonly calls: number; readonly failed: number } {
    this.#forget(nowMs, windowMs);
    let calls = 0;
    let failed = 0;
    for (const slice of this.#slices) {
      calls += slice.ok + slice.failed;
      failed += slice.failed;
    }
    return { calls, failed };
  }

  clear(): void {
    this.#slices = [];
  }

  /** What lies in the future was counted before the clock was set back. */
  #forget(nowMs: number, windowMs: number): void {
    const isIn = ({ startMs }: Slice): boolean => startMs > nowMs - windowMs && startMs <= nowMs;
    if (!this.#slices.every(isIn)) this.#slices = this.#slices.filter(isIn);
  }
}
