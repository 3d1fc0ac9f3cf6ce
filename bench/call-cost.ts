import { type CallsResult, type Echo, measureCalls } from './calls.ts';
import type { Gateway } from './gateway.ts';
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
const CPU_SECONDS = 'gantry_process_cpu_seconds_total';

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
  /** Processor time of the orchestrator for one call, microseconds: the figure that a busy machine changes least. */
  readonly cpuUs: Spread;
};

type Way = 'pipe' | 'stack';

/**
 * A call of `echo` of the same program, on a bare pipe and through the whole stack. Both are measured in every
 * round, in turns, so that what else the machine does meanwhile falls on both.
 */
export async function measureCallCost(options: {
  readonly server: string;
  readonly command: readonly [string, ...string[]];
  readonly gateway: Gateway;
  readonly rounds: number;
}): Promise<CallCostRow[]> {
  const { server, command, gateway, rounds } = options;
  const pipe = await PipeClient.open(command[0], command.slice(1));
  const connections = Math.max(...LOADS.map(({ inFlight }) => inFlight));
  const token = await gateway.callToken();
  const stack = await HttpClient.open({ url: gateway.url, server, connections, token });
  const echoes = { pipe: pipe.echo, stack: stack.echo };
  try {
    const rows: CallCostRow[] = [];
    for (const load of LOADS) {
      rows.push({ server, inFlight: load.inFlight, ...(await measureLoad(echoes, load, gateway, rounds)) });
    }
    return rows;
  } finally {
    await Promise.all([pipe.close(), stack.close()]);
  }
}

async function measureLoad(
  echoes: Readonly<Record<Way, Echo>>,
  { inFlight, count }: (typeof LOADS)[number],
  gateway: Gateway,
  rounds: number,
): Promise<Omit<CallCostRow, 'server' | 'inFlight'>> {
  const pipe: CallsResult[] = [];
  const stack: CallsResult[] = [];
  const cpuUs: number[] = [];
  const measure: Record<Way, () => Promise<void>> = {
    pipe: async () => void pipe.push(await measureCalls(echoes.pipe, count, inFlight)),
    stack: async () => {
      const before = await gateway.metric(CPU_SECONDS);
      const result = await measureCalls(echoes.stack, count, inFlight);
      cpuUs.push((((await gateway.metric(CPU_SECONDS)) - before) / result.count) * 1e6);
      stack.push(result);
    },
  };
  for (const echo of Object.values(echoes)) await measureCalls(echo, WARM_UP_CALLS, inFlight);
  for (let round = 0; round < rounds; round++) {
    const order: readonly Way[] = round % 2 === 0 ? ['pipe', 'stack'] : ['stack', 'pipe'];
    for (const way of order) await measure[way]();
  }
  return { pipe, stack, ...compared(pipe, stack), cpuUs: spreadOf(cpuUs) };
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
