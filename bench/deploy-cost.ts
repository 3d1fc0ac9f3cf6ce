import { ECHO_SERVER } from './echo-server.ts';
import type { BenchEngine } from './engine.ts';
import type { Gateway } from './gateway.ts';
import { HttpClient } from './http-client.ts';
import { type Spread, spreadOf } from './quantiles.ts';

export type DeployCost = {
  readonly dockerRun: Spread;
  readonly dockerExec: Spread;
  readonly deploy: Spread;
  readonly session: Spread;
  /** Rounds that ended with a failed start, and why: they are in none of the figures. */
  readonly failures: readonly string[];
};

const NAME = 'bench-deploy';

/** All in milliseconds, until the process has answered initialize. The image is there before. */
export async function measureDeployCost(
  gateway: Gateway,
  engine: BenchEngine,
  rounds: number,
): Promise<DeployCost> {
  const dockerRun: number[] = [];
  const dockerExec: number[] = [];
  const deploy: number[] = [];
  const session: number[] = [];
  const failures: string[] = [];
  const entry = { image: engine.bridgeImage, command: ['node', '-e', ECHO_SERVER] };
  for (let round = 0; round < rounds; round++) {
    dockerExec.push(await engine.execOverhead());
    dockerRun.push(await engine.runToFirstAnswer(ECHO_SERVER));
    try {
      deploy.push(await gateway.deploy(NAME, entry));
      const startedAt = performance.now();
      const { url } = gateway;
      const token = await gateway.callToken();
      const client = await HttpClient.open({ url, server: NAME, connections: 1, token });
      session.push(performance.now() - startedAt);
      await client.close();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      await gateway.remove(NAME);
    }
  }
  return {
    dockerRun: spreadOf(dockerRun),
    dockerExec: spreadOf(dockerExec),
    deploy: spreadOf(deploy),
    session: spreadOf(session),
    failures,
  };
}
