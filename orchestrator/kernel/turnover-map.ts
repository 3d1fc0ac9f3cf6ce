/**
 * A Map for what is open for milliseconds, call after call. V8's own makes a new table with nearly every entry that comes
 * and goes, and a table that was outgrown points to the one after it: from the first that has become old, every later
 * one is kept until the next full collection, which then is due several times a second (docs/performance.md). Numbers,
 * which most keys are, stand in one table here for good; texts in a Map of places, so that what they lead to is let go.
 */
export class TurnoverMap<K extends number | string, V> {
  /** Open addressing: a key stands at its own number or, where others stand, right behind them. */
  #keys: (number | undefined)[] = new Array(LEAST).fill(undefined);
  #values: (V | undefined)[] = new Array(LEAST).fill(undefined);
  #numbers = 0;
  readonly #places = new Map<string, number>();
  readonly #texts: (V | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#numbers + this.#places.size;
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  get(key: K): V | undefined {
    if (typeof key === 'number') return this.#values[this.#find(key)];
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#texts[place];
  }

  set(key: K, value: V): void {
    if (typeof key === 'number') return this.#setNumber(key, value);
    const place = this.#places.get(key) ?? this.#free.pop() ?? this.#texts.length;
    this.#places.set(key, place);
    this.#texts[place] = value;
  }

  delete(key: K): void {
    if (typeof key === 'number') return this.#deleteNumber(key);
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#texts[place] = undefined;
    this.#free.push(place);
  }

  /** Numbers first, the least of them before all others. */
  values(): V[] {
    const numbers = this.#keys.filter((key) => key !== undefined).toSorted((one, other) => one - other);
    const keys = [...numbers, ...this.#places.keys()] as K[];
    return keys.map((key) => this.get(key) as V);
  }

  /** Where a number stands, or the free place where it would. */
  #find(key: number): number {
    const last = this.#keys.length - 1;
    let at = key & last;
    while (this.#keys[at] !== undefined && this.#keys[at] !== key) at = (at + 1) & last;
    return at;
  }

  #setNumber(key: number, value: V): void {
    const at = this.#find(key);
    if (this.#keys[at] === undefined) {
      // At most half full, so that rows of keys stay short and a search always ends.
      if (2 * ++this.#numbers > this.#keys.length) {
        this.#grow();
        return this.#put(key, value);
      }
      this.#keys[at] = key;
    }
    this.#values[at] = value;
  }

  #put(key: number, value: V): void {
    const at = this.#find(key);
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Array(2 * keys.length).fill(undefined);
    this.#values = new Array(2 * keys.length).fill(undefined);
    for (const [at, key] of keys.entries()) if (key !== undefined) this.#put(key, values[at] as V);
  }

  /** Whoever stands behind and could not stand further in front moves up: a search ends at the first free place. */
  #deleteNumber(key: number): void {
    const last = this.#keys.length - 1;
    let free = this.#find(key);
    if (this.#keys[free] === undefined) return;
    this.#numbers--;
    for (let at = (free + 1) & last; ; at = (at + 1) & last) {
      const other = this.#keys[at];
      if (other === undefined) break;
      const isPast = ((at - (other & last)) & last) >= ((at - free) & last);
      if (!isPast) continue;
      this.#keys[free] = other;
      this.#values[free] = this.#values[at];
      free = at;
    }
    this.#keys[free] = undefined;
    this.#values[free] = undefined;
  }
}

/** Places at first; a power of two, as every size is. */
const LEAST = 16;
