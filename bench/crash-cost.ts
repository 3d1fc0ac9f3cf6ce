import { setTimeout as sleep } from 'node:timers/promises';
import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { type Spread, spreadOf } from './quantiles.ts';

export type CrashCost = {
  /** From the call that ends the process until a replacement is ready; the wait for the next try is none. */
  readonly ready: Spread;
  readonly firstAnswer: Spread;
  /** The same for a process that is killed in the engine. */
  readonly killedReady: Spread;
};

const NAME = 'bench-crash';
const POLL_MS = 5;

/** All in milliseconds, of a shared server with one replica and nothing in reserve. Each round is a server of its own. */
export async function measureCrashCost(
  gateway: Gateway,
  engine: BenchEngine,
  rounds: number,
): Promise<CrashCost> {
  const ready: number[] = [];
  const firstAnswer: number[] = [];
  const killedReady: number[] = [];
  const entry = { image: engine.bridgeImage, command: ['node', '-e', ECHO_SERVER], sharing: 'shared' };
  for (let round = 0; round < rounds; round++) {
    try {
      await gateway.deploy(NAME, entry);
      const first = await anotherReady(gateway, '');
      const crashed = performance.now();
      const status = await gateway.callTool(NAME, 'crash', {});
      if (status !== 502) throw new Error(`the crash was answered with ${status}`);
      const second = await anotherReady(gateway, first);
      ready.push(performance.now() - crashed);
      while ((await gateway.callTool(NAME, 'echo', { message: 'again' })) !== 200) await sleep(POLL_MS);
      firstAnswer.push(performance.now() - crashed);

      await gateway.restart(NAME); // or the second failure would be waited for
      const third = await anotherReady(gateway, second);
      const killed = performance.now();
      await engine.kill(third);
      await anotherReady(gateway, third);
      killedReady.push(performance.now() - killed);
    } finally {
      await gateway.remove(NAME);
    }
  }
  return {
    ready: spreadOf(ready),
    firstAnswer: spreadOf(firstAnswer),
    killedReady: spreadOf(killedReady),
  };
}

/** A ready container other than `before`: the state of the server alone may still be that of the dead one. */
async function anotherReady(gateway: Gateway, before: string): Promise<string> {
  for (;;) {
    const [container] = await gateway.readyContainers(NAME);
    if (container !== undefined && container !== before) return container;
    const server = await gateway.server(NAME);
    if (server?.state === 'failed') throw new Error(`${NAME} failed: ${JSON.stringify(server.reason)}`);
    await sleep(POLL_MS);
  }
}
