import { type Clock, GantryError, type Signal } from '../kernel/index.ts';

export type Patience = {
  readonly server: string;
  readonly clock: Clock;
  /** At most so long, in milliseconds. */
  readonly limitMs: number;
  readonly signal?: Signal;
  /** Whether an earlier start of the orchestrator sent what waits now. */
  readonly wasSent: boolean;
};

/**
 * A process that an earlier start of the orchestrator left, once it is found. That may take as long as the engine is away,
 * and nobody waits longer than for an answer. Whoever waits is told in the turn in which it is found.
 * @throws GantryError call_timeout after `limitMs`, cancelled when `signal` aborts; as `found` rejects
 */
export function untilFound<T>(found: Promise<T>, patience: Patience): Promise<T> {
  const { server, clock, limitMs, signal } = patience;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', leave);
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const leave = (): void => fail(callerLeft(server));
    const cancelTimer = clock.after(limitMs, () => fail(notFoundInTime(patience)));
    if (signal?.aborted === true) leave();
    signal?.addEventListener('abort', leave, { once: true });
    found.then((one) => {
      stop();
      resolve(one);
    }, fail);
  });
}

function callerLeft(server: string): GantryError {
  const message = 'The caller withdrew this call before its process was found again.';
  return new GantryError('cancelled', message, { detail: { server } });
}

function notFoundInTime({ server, limitMs, wasSent }: Patience): GantryError {
  const whether = wasSent ? 'The call may still be running.' : 'The call was not sent; try again later.';
  return new GantryError(
    'call_timeout',
    `The orchestrator was restarted and did not find the process of server ${server} again within ${limitMs} ms. ${whether}`,
    { detail: { server, mayHaveRun: wasSent } },
  );
}
