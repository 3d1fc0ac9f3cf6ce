import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { rounded, type Summary } from '../quantiles.ts';

/** Nanoseconds up to ten minutes: nothing here waits longer. */
const HIGHEST_NS = 600e9;

/**
 * Latencies in an HDR histogram (the one that is built into Node), three significant digits: millions of them cost the
 * same memory as one, and recording one costs less than the clock that measured it.
 */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: HIGHEST_NS, figures: 3 });

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1e6)));
  }

  get count(): number {
    return this.#histogram.count;
  }

  /** Milliseconds. */
  get summary(): Summary {
    const at = (percent: number): number => rounded(this.#histogram.percentile(percent) / 1e6);
    return {
      count: this.count,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      max: rounded(this.count === 0 ? Number.NaN : this.#histogram.max / 1e6),
    };
  }
}
