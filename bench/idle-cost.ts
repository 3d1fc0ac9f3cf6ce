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
/** How long is looked, and what the start of the servers may leave to do before that. */
const FULL = { windowMs: 60_000, settleMs: 10_000 };
const QUICK = { windowMs: 15_000, settleMs: 5_000 };
/** Ten times as often as by default. */
const OFTEN_MS = 1000;

/** What servers cost that nobody calls: with probes off, at their default, and ten times as often. */
export async function measureIdleCost(
  gateway: Gateway,
  engine: BenchEngine,
  isQuick: boolean,
): Promise<IdleCost> {
  const spans = isQuick ? QUICK : FULL;
  const names = Array.from({ length: SERVERS }, (_, index) => `bench-idle-${index}`);
  const entry = { image: engine.bridgeImage, command: ['node', '-e', ECHO_SERVER], sharing: 'shared' };
  const askedEach = async (health: object): Promise<number> => {
    for (const name of names) await gateway.patch(name, { health });
    return await cpuPercent(gateway, spans);
  };
  const withoutThem = await cpuPercent(gateway, spans);
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

async function cpuPercent(gateway: Gateway, { windowMs, settleMs }: typeof FULL): Promise<number> {
  await sleep(settleMs);
  const cpuSeconds = (): Promise<number> => gateway.metric('gantry_process_cpu_seconds_total');
  const [before, startedAt] = [await cpuSeconds(), performance.now()];
  await sleep(windowMs);
  const seconds = (performance.now() - startedAt) / 1000;
  return rounded((((await cpuSeconds()) - before) / seconds) * 100);
}
