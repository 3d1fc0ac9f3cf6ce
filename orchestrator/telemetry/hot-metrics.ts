import type { Metric, Registry } from 'prom-client';

type Options = { readonly name: string; readonly help: string; readonly labelNames: readonly string[] };

/** What belongs to each combination of labels. */
class Cells<C> {
  readonly all: { readonly labels: readonly string[]; readonly cell: C }[] = [];
  readonly #make: () => C;
  readonly #tree = new Map<string, Map<string, Map<string, C>>>();

  constructor(make: () => C) {
    this.#make = make;
  }

  of(first: string, second: string, third: string): C {
    return this.#tree.get(first)?.get(second)?.get(third) ?? this.#add(first, second, third);
  }

  #add(first: string, second: string, third: string): C {
    const seconds = this.#tree.get(first) ?? new Map<string, Map<string, C>>();
    this.#tree.set(first, seconds);
    const thirds = seconds.get(second) ?? new Map<string, C>();
    seconds.set(second, thirds);
    const cell = this.#make();
    thirds.set(third, cell);
    this.all.push({ labels: [first, second, third], cell });
    return cell;
  }
}

type Value = { readonly metricName: string; readonly labels: object; readonly value: number };

/**
 * A counter with up to three labels, for what happens with every call. prom-client checks, sorts and joins the labels of
 * each single observation, which for the five of a call together took a sixth of its time (docs/performance.md); here
 * they are looked up, and written out only when somebody asks. Labels have to be bounded by whoever counts.
 */
export class HotCounter {
  readonly name: string;
  readonly #options: Options;
  readonly #cells = new Cells(() => ({ count: 0 }));

  constructor(registry: Registry, options: Options) {
    this.name = options.name;
    this.#options = options;
    registry.registerMetric(this as unknown as Metric);
  }

  inc(first: string, second = '', third = ''): void {
    this.#cells.of(first, second, third).count++;
  }

  /** As prom-client asks its metrics. */
  async get() {
    const { name, help, labelNames } = this.#options;
    const values: Value[] = this.#cells.all.map(({ labels, cell }) => ({
      metricName: name,
      labels: named(labelNames, labels),
      value: cell.count,
    }));
    return { name, help, type: 'counter', aggregator: 'sum', values };
  }
}

/** A histogram of the same kind. */
export class HotHistogram {
  readonly name: string;
  readonly #options: Options & { readonly buckets: readonly number[] };
  readonly #cells: Cells<{ readonly counts: number[]; sum: number }>;

  /** @param options `buckets` are upper bounds, rising */
  constructor(registry: Registry, options: Options & { readonly buckets: readonly number[] }) {
    this.name = options.name;
    this.#options = options;
    this.#cells = new Cells(() => ({ counts: Array<number>(options.buckets.length + 1).fill(0), sum: 0 }));
    registry.registerMetric(this as unknown as Metric);
  }

  observe(value: number, first: string, second = '', third = ''): void {
    const cell = this.#cells.of(first, second, third);
    const { buckets } = this.#options;
    let index = 0;
    while (index < buckets.length && value > (buckets[index] ?? 0)) index++;
    cell.counts[index] = (cell.counts[index] ?? 0) + 1;
    cell.sum += value;
  }

  /** As prom-client asks its metrics. */
  async get() {
    const { name, help, labelNames, buckets } = this.#options;
    const values = this.#cells.all.flatMap(({ labels, cell }): Value[] => {
      const shared = named(labelNames, labels);
      let count = 0;
      const bounds = [...buckets, '+Inf'].map((le, index) => {
        count += cell.counts[index] ?? 0;
        return { metricName: `${name}_bucket`, labels: { le, ...shared }, value: count };
      });
      return [
        ...bounds,
        { metricName: `${name}_sum`, labels: shared, value: cell.sum },
        { metricName: `${name}_count`, labels: shared, value: count },
      ];
    });
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

function named(names: readonly string[], labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, labels[index] ?? '']));
}
