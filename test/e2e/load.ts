import { setTimeout as delay } from 'node:timers/promises';
import { api, type Json } from './harness.ts';

/** Calls that never stop, so many in flight at any time, until they are told to. */
export type Load = {
  /** Answers with another status than 200, and results that report an error. */
  readonly failures: readonly string[];
  readonly answered: () => number;
  /** Resolves when the calls in flight are over. */
  stop(): Promise<void>;
};

/** @param args of each call, by its number */
export function startLoad(
  server: string,
  tool: string,
  args: (call: number) => Json,
  { inFlight = 16 }: { inFlight?: number } = {},
): Load {
  const failures: string[] = [];
  let answered = 0;
  let begun = 0;
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const { status, text } = await api('POST', `/api/v1/servers/${server}/tools/${tool}`, {
        body: args(begun++),
        token: null,
      }).catch((error: Error) => ({ status: 0, text: error.message }));
      answered++;
      if (status === 200 && !text.includes('"isError":true')) continue;
      failures.push(`${status} ${text.slice(0, 300)}`);
      await delay(50); // a server that refuses everything must not turn this into a flood
    }
  };
  const callers = Array.from({ length: inFlight }, caller);
  return {
    failures,
    answered: () => answered,
    async stop() {
      isOver = true;
      await Promise.all(callers);
    },
  };
}
