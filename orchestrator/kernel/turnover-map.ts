/**
 * A Map for what is open for milliseconds, call after call. V8's own keeps such things far longer than they live: a table
 * that was outgrown points to the one after it, so from the first that has become old, every later one and all that was
 * open when it was outgrown is kept until the next full collection, which then is due several times a second. Here the
 * tables hold nothing but numbers, and a place is cleared when it is left (docs/performance.md).
 */
export class TurnoverMap<K, V> {
  readonly #places = new Map<K, number>();
  readonly #values: (V | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  get(key: K): V | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  set(key: K, value: V): void {
    const place = this.#places.get(key) ?? this.#free.pop() ?? this.#values.length;
    this.#places.set(key, place);
    this.#values[place] = value;
  }

  delete(key: K): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#values[place] = undefined;
    this.#free.push(place);
  }

  /** In the order in which their keys came. */
  values(): V[] {
    return [...this.#places.values()].map((place) => this.#values[place] as V);
  }
}
