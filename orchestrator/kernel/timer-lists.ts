/**
 * Timeouts that are nearly always cancelled, as those of calls are. `setTimeout` makes and unmakes a list of its own for
 * each that is alone, and an object that async hooks could follow: two of them were a twentieth of a call
 * (docs/performance.md). As there, all that wait equally long stand in one list in the order in which they are due; here
 * one timer looks after each list and goes on to whoever is first when it fires.
 */
export class TimerLists {
  readonly #lists = new Map<number, TimerList>();

  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void {
    let list = this.#lists.get(delayMs);
    if (list === undefined) {
      list = new TimerList(delayMs, () => this.#lists.delete(delayMs));
      this.#lists.set(delayMs, list);
    }
    return list.add(task);
  }
}

/** Null where it has run or was cancelled. */
type Entry = {
  task: (() => void) | null;
  readonly dueAt: number;
  before: Entry | null;
  behind: Entry | null;
};

class TimerList {
  readonly #delayMs: number;
  readonly #onEmpty: () => void;
  #timer: NodeJS.Timeout;
  #first: Entry | null = null;
  #last: Entry | null = null;

  /** @param onEmpty nobody waits any more, and the timer has noticed: it is not used again */
  constructor(delayMs: number, onEmpty: () => void) {
    this.#delayMs = delayMs;
    this.#onEmpty = onEmpty;
    this.#timer = this.#wait(delayMs);
  }

  add(task: () => void): () => void {
    const entry: Entry = { task, dueAt: performance.now() + this.#delayMs, before: this.#last, behind: null };
    if (this.#last === null) {
      this.#first = entry;
      this.#timer.ref();
    } else this.#last.behind = entry;
    this.#last = entry;
    return () => this.#remove(entry);
  }

  #remove(entry: Entry): void {
    if (entry.task === null) return;
    entry.task = null;
    const { before, behind } = entry;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    // What is gone must not lead to what is there: see `TurnoverMap`.
    entry.before = entry.behind = null;
    // A timer without anybody who waits must not keep the process.
    if (this.#first === null) this.#timer.unref();
  }
  #fire(): void {
    try {
      const now = performance.now();
      for (let entry = this.#first; entry !== null && entry.dueAt <= now; entry = this.#first) {
        const { task } = entry;
        this.#remove(entry);
        task?.();
      }
    } finally {
      this.#next();
    }
  }

  #next(): void {
    if (this.#first === null) return this.#onEmpty();
    this.#timer = this.#wait(this.#first.dueAt - performance.now());
  }

  #wait(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#fire(), Math.min(LONGEST_MS, Math.max(1, delayMs)));
  }
}

/** What `setTimeout` takes: with more it fires at once. Who waits longer is looked at in between. */
const LONGEST_MS = 2 ** 31 - 1;
