import type { Clock } from '../kernel/index.ts';

/** Whether `event` settled before `deadlineMs` passed. A rejection counts as settled. */
export function settledWithin(clock: Clock, deadlineMs: number, event: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(deadlineMs, () => resolve(false));
    const settled = (): void => {
      cancel();
      resolve(true);
    };
    event.then(settled, settled);
  });
}
