import { TimerLists } from './timer-lists.ts';

/** Time as a dependency, so that policies and timers can be tested without waiting. */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
};

const timers = new TimerLists();

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, task) => timers.after(delayMs, task),
};
