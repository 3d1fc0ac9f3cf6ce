import { ECHO_SERVER } from '../echo-server.ts';
import type { BenchEngine } from '../engine.ts';
import type { Gateway } from '../gateway.ts';
import type { Endpoint } from '../load/http-session.ts';
import { endpointSide, type Side } from './side.ts';

/** One isolated replica behind the balancer, with breaker, limits and metrics on: as every server is by default. */
const SHARED = { sharing: 'shared', replicas: 1 };

/** The ways into one container that there are, each as a server of its own, by name. */
const WAYS = {
  'bench-shared': {},
  'bench-attach': { channel: 'attach' },
  'bench-runsc': { runtime: 'runsc' },
} as const;

export type GantrySides = {
  /** Over the socket where the mesh has it, at the orchestrator's own address: what the targets are about. */
  readonly direct: Side;
  /** The same through the published port, which docker's userland proxy stands behind. */
  readonly published: Side;
  /** The other ways that this mesh has. */
  readonly others: readonly Side[];
  readonly modern: Side;
  /** Where `direct` is, for sessions without connections of their own. */
  readonly endpoint: Endpoint;
  close(): Promise<void>;
};

/** @param say told what cannot be measured here, and why */
export async function deployGantrySides(
  gateway: Gateway,
  engine: BenchEngine,
  say: (line: string) => void,
): Promise<GantrySides> {
  const entry = { image: engine.bridgeImage, command: ['node', '-e', ECHO_SERVER], ...SHARED };
  const token = await gateway.callToken();
  const at = (url: string, server: string, era: 'legacy' | 'modern' = 'legacy'): Endpoint => ({
    url,
    path: `/mcp/${server}`,
    // The address in the stack's network is no name that it serves.
    headers: {
      host: new URL(gateway.url).host,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    era,
  });
  const deployed: string[] = [];
  const channels = new Map<string, string>();
  for (const [server, way] of Object.entries(WAYS)) {
    try {
      await gateway.remove(server); // of an interrupted run
      await gateway.deploy(server, { ...entry, ...way });
      deployed.push(server);
      const container = (await gateway.containers()).find((one) => one.server === server);
      channels.set(server, container?.channel ?? 'unknown');
    } catch (error) {
      say(
        `Not measured: ${server} (${JSON.stringify(way)}): ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  const direct = engine.orchestratorUrl ?? gateway.url;
  const channel = channels.get('bench-shared') ?? 'unknown';
  const named = (name: string, where: string) =>
    `gantry ${name}: ${JSON.stringify({ ...SHARED, ...WAYS[name as keyof typeof WAYS] })}, channel ${channels.get(name)}, at ${where}`;
  const cpu = (): Promise<number> => gateway.metric('gantry_process_cpu_seconds_total');
  const others: Side[] = [];
  // Where the default is attach already it would be the same once more.
  if (channels.has('bench-attach') && channel !== 'attach') {
    others.push(
      endpointSide('gantry attach', named('bench-attach', direct), at(direct, 'bench-attach'), cpu),
    );
  }
  if (channels.has('bench-runsc')) {
    others.push(endpointSide('gantry runsc', named('bench-runsc', direct), at(direct, 'bench-runsc'), cpu));
  }
  return {
    direct: endpointSide(`gantry ${channel}`, named('bench-shared', direct), at(direct, 'bench-shared'), cpu),
    published: endpointSide(
      `gantry ${channel}, published port`,
      named('bench-shared', gateway.url),
      at(gateway.url, 'bench-shared'),
      cpu,
    ),
    others,
    modern: endpointSide(
      `gantry ${channel}, modern`,
      `${named('bench-shared', direct)}, revision 2026-07-28`,
      at(direct, 'bench-shared', 'modern'),
      cpu,
    ),
    endpoint: at(direct, 'bench-shared'),
    async close() {
      for (const server of deployed) await gateway.remove(server);
    },
  };
}
