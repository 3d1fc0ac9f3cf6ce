import { type CallsResult, measureCalls } from './calls.ts';
import { HttpClient } from './http-client.ts';
import { PipeClient } from './pipe-client.ts';
import { type Spread, spreadOf } from './quantiles.ts';

/** How many calls a round makes, by how many are in flight: enough for a 99th percentile. */
const LOADS: readonly { readonly inFlight: number; readonly count: number }[] = [
  { inFlight: 1, count: 500 },
  { inFlight: 64, count: 3000 },
];
/** Before the first round, so that both sides are compiled and warm. */
const WARM_UP_CALLS = 500;

export type CallCostRow = {
  readonly server: string;
  readonly inFlight: number;
  readonly pipe: readonly CallsResult[];
  readonly stack: readonly CallsResult[];
  /** Stack minus pipe, milliseconds at the median of each round. */
  readonly addedMs: Spread;
  /** Stack over pipe. */
  readonly p50Ratio: Spread;
  readonly throughputRatio: Spread;
};

/**
 * A call of `echo` of the same program, on a bare pipe and through the whole stack. Both are measured in every
 * round, in turns, so that what else the machine does meanwhile falls on both.
 */
export async function measureCallCost(options: {
  readonly server: string;
  readonly command: readonly [string, ...string[]];
  readonly url: string;
  readonly token: string | null;
  readonly rounds: number;
}): Promise<CallCostRow[]> {
  const { server, command, url, token, rounds } = options;
  const pipe = await PipeClient.open(command[0], command.slice(1));
  const connections = Math.max(...LOADS.map(({ inFlight }) => inFlight));
  const stack = await HttpClient.open({ url, server, connections, token });
  try {
    const rows: CallCostRow[] = [];
    for (const { inFlight, count } of LOADS) {
      const ways = { pipe: pipe.echo, stack: stack.echo };
      const results: Record<keyof typeof ways, CallsResult[]> = { pipe: [], stack: [] };
      for (const way of ['pipe', 'stack'] as const) await measureCalls(ways[way], WARM_UP_CALLS, inFlight);
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? (['pipe', 'stack'] as const) : (['stack', 'pipe'] as const);
        for (const way of order) results[way].push(await measureCalls(ways[way], count, inFlight));
      }
      rows.push({ server, inFlight, ...results, ...compared(results.pipe, results.stack) });
    }
    return rows;
  } finally {
    await Promise.all([pipe.close(), stack.close()]);
  }
}

function compared(pipe: readonly CallsResult[], stack: readonly CallsResult[]) {
  const each = (compare: (pipe: CallsResult, stack: CallsResult) => number): Spread =>
    spreadOf(pipe.flatMap((one, index) => (stack[index] === undefined ? [] : [compare(one, stack[index])])));
  return {
    addedMs: each((a, b) => b.p50 - a.p50),
    p50Ratio: each((a, b) => b.p50 / a.p50),
    throughputRatio: each((a, b) => b.perSecond / a.perSecond),
  };
}
