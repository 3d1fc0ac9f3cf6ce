import { setTimeout as sleep } from 'node:timers/promises';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { rounded } from './quantiles.ts';

export type IdleCost = {
  readonly servers: number;
  /** Processor time of the orchestrator, percent of one core, nobody calling. */
  readonly withoutThem: number;
  readonly notAsked: number;
  readonly asked: number;
  readonly askedOften: number;
};

const SERVERS = 20;
const WINDOW_MS = 60_000;
/** What their start left to do. */
const SETTLE_MS = 10_000;
/** Ten times as often as by default. */
const OFTEN_MS = 1000;

/** What servers cost that nobody calls: with probes off, at their default, and ten times as often. */
export async function measureIdleCost(gateway: Gateway, engine: BenchEngine): Promise<IdleCost> {
  const names = Array.from({ length: SERVERS }, (_, index) => `bench-idle-${index}`);
  const entry = { image: engine.bridgeImage, command: ['node', '-e', ECHO_SERVER], sharing: 'shared' };
  const askedEach = async (health: object): Promise<number> => {
    for (const name of names) await gateway.patch(name, { health });
    return await cpuPercent(gateway);
  };
  const withoutThem = await cpuPercent(gateway);
  try {
    for (const name of names) await gateway.deploy(name, entry);
    const notAsked = await askedEach({ intervalMs: 0 });
    const asked = await askedEach({ intervalMs: null });
    const askedOften = await askedEach({ intervalMs: OFTEN_MS });
    return { servers: SERVERS, withoutThem, notAsked, asked, askedOften };
  } finally {
    for (const name of names) await gateway.remove(name);
  }
}

async function cpuPercent(gateway: Gateway): Promise<number> {
  await sleep(SETTLE_MS);
  const cpuSeconds = (): Promise<number> => gateway.metric('gantry_process_cpu_seconds_total');
  const [before, startedAt] = [await cpuSeconds(), performance.now()];
  await sleep(WINDOW_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  return rounded((((await cpuSeconds()) - before) / seconds) * 100);
}
