import { setTimeout as sleep } from 'node:timers/promises';
import { measureCalls } from './calls.ts';
import { ECHO_SERVER, FLOODS } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { HttpClient } from './http-client.ts';
import { rounded, type Summary } from './quantiles.ts';

const NAME = 'bench-flood';
/** The metric looks back 30 to 60 s, so this long after the start of a flood it shows the flood. */
const FLOOD_MS = 10_000;
/** And this long after its end it has forgotten it. */
const FORGET_MS = 61_000;
const NEIGHBOUR_CALLS = 500;

export type FloodCost = {
  readonly flood: string;
  /** How late the orchestrator's timers ran. */
  readonly delayMaxMs: number;
  readonly delayP99Ms: number;
  /** Calls of another server meanwhile, one in flight. */
  readonly neighbour: Summary;
};

/** What a server that misbehaves does to the orchestrator and to the clients of another server. */
export async function measureFloodCost(
  gateway: Gateway,
  engine: BenchEngine,
  neighbour: string,
  say: (line: string) => void,
): Promise<FloodCost[]> {
  const rows: FloodCost[] = [];
  for (const [flood, program] of Object.entries({ 'none, for comparison': '', ...FLOODS })) {
    say(`  ${flood}: waiting ${FORGET_MS / 1000} s until the delay metric has forgotten what was before …`);
    await sleep(FORGET_MS);
    const { url } = gateway;
    const token = await gateway.callToken();
    const client = await HttpClient.open({ url, server: neighbour, connections: 1, token });
    try {
      if (program !== '') {
        const command = ['node', '-e', `${program}\n${ECHO_SERVER}`];
        await gateway.deploy(NAME, { image: engine.bridgeImage, command });
      }
      const until = performance.now() + FLOOD_MS;
      const calls = await measureCalls(client.echo, NEIGHBOUR_CALLS, 1);
      await sleep(Math.max(0, until - performance.now()));
      rows.push({ flood, neighbour: calls, ...(await delays(gateway)) });
    } finally {
      await client.close();
      await gateway.remove(NAME);
    }
  }
  return rows;
}

async function delays(gateway: Gateway): Promise<{ delayMaxMs: number; delayP99Ms: number }> {
  const inMs = async (name: string): Promise<number> => rounded((await gateway.metric(name)) * 1000);
  return {
    delayMaxMs: await inMs('gantry_event_loop_delay_max_seconds'),
    delayP99Ms: await inMs('gantry_event_loop_delay_p99_seconds'),
  };
}
