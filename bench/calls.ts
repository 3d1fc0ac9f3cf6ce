import { rounded, type Summary, summarize } from './quantiles.ts';

/** Something that echoes: a pipe or a session over HTTP. Rejects when the answer is not the echo. */
export type Echo = (text: string) => Promise<void>;

export type CallsResult = Summary & { readonly perSecond: number };

/** On a busy machine a round ends early rather than never; the count says so. */
const MAX_ROUND_MS = 10_000;

/** Makes `count` calls, always `inFlight` of them open, and measures each from before its write to its answer. */
export async function measureCalls(echo: Echo, count: number, inFlight: number): Promise<CallsResult> {
  const samples: number[] = [];
  let next = 0;
  const beganAt = performance.now();
  const worker = async (): Promise<void> => {
    while (next < count && performance.now() - beganAt < MAX_ROUND_MS) {
      const text = `message-${next++}`.padEnd(64, '.');
      const startedAt = performance.now();
      await echo(text);
      samples.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - beganAt) / 1000;
  return { ...summarize(samples), perSecond: rounded(samples.length / seconds) };
}
