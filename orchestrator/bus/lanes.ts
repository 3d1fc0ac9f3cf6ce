import type { ClaimedTask, Clock } from '../kernel/index.ts';
import { backoffMs } from './backoff.ts';

/** A server that comes back is found this soon. */
const LONGEST_PAUSE_MS = 2000;

type Pause = { readonly until: number; readonly tries: number };

/**
 * How many tasks of each server may be claimed. One that takes none is left alone for a moment: its tasks would only be
 * claimed and put off, one after the other through the whole queue.
 */
export class Lanes {
  readonly #most: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #random: () => number;
  readonly #pauses = new Map<string, Pause>();

  /** @param most tasks of one server in hand */
  constructor(most: number, clock: Pick<Clock, 'now'>, random: () => number) {
    this.#most = most;
    this.#clock = clock;
    this.#random = random;
  }

  /** Of how many tasks each lane counts as having now; one that is left alone has all it may have. */
  busy(inHand: Iterable<ClaimedTask>): ReadonlyMap<string, number> {
    const busy = new Map<string, number>();
    for (const { lane } of inHand) busy.set(lane, (busy.get(lane) ?? 0) + 1);
    for (const [lane, { until }] of this.#pauses) if (until > this.#clock.now()) busy.set(lane, this.#most);
    return busy;
  }

  /** A task found nobody. Many do at the same time, which is one refusal. */
  refused(lane: string): void {
    const { until, tries } = this.#pauses.get(lane) ?? { until: 0, tries: 0 };
    const now = this.#clock.now();
    if (until > now) return;
    const pauseMs = Math.min(backoffMs(tries + 1, this.#random), LONGEST_PAUSE_MS);
    this.#pauses.set(lane, { until: now + pauseMs, tries: tries + 1 });
  }

  served(lane: string): void {
    this.#pauses.delete(lane);
  }
}
