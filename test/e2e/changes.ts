import { configWith, editConfig, readConfig } from './config-file.ts';
import {
  api,
  type Container,
  dockerInside,
  expectStatus,
  type Json,
  type Server,
  server,
} from './harness.ts';
import { until } from './until.ts';

export type Rolled = Server & {
  readonly rollout: {
    readonly state: string;
    readonly mode: string;
    readonly reason: { readonly code: string; readonly stderr: readonly string[] } | null;
    readonly tools: { readonly added: readonly string[]; readonly removed: readonly string[] } | null;
  } | null;
};

/** A server of gantry.yaml with tools for everything, whose rollouts are decided soon. */
export const PROGRAM: Json = {
  build: './fixtures/servers',
  command: ['python3', '/opt/fixtures/inspector.py'],
  rollout: { watchMs: 3000, sessionsMs: 600_000 },
};

/** gantry.yaml as it was, and servers of a test in it. */
export class ConfigOfTest {
  readonly original: string;

  private constructor(original: string) {
    this.original = original;
  }

  static async read(): Promise<ConfigOfTest> {
    return new ConfigOfTest(await readConfig());
  }

  textWith(servers: Readonly<Record<string, Json>>): string {
    return configWith(this.original, servers);
  }

  /** Writes gantry.yaml with these servers beside its own, and waits until that has been noticed. */
  edit(servers: Readonly<Record<string, Json>>, how: 'rename' | 'in place' = 'rename') {
    return editConfig(this.textWith(servers), { how });
  }

  /** As it was; resolves when the servers of the test are gone. */
  async restore(): Promise<void> {
    await editConfig(this.original);
    await until('no server of a test is left', async () => {
      const { servers } = await expectStatus<{ servers: Server[] }>(200, api('GET', '/api/v1/servers'));
      return servers.every(({ name, origin }) => origin === 'api' || this.original.includes(`  ${name}:`));
    });
  }
}

export function ready(name: string, replicas: number): Promise<boolean> {
  return until(
    `${replicas} replicas of ${name} are ready`,
    async () => (await server(name)).replicas.ready === replicas,
    {
      timeoutMs: 120_000,
    },
  );
}

export function rollout(name: string, state: string): Promise<Rolled> {
  return until(
    `the rollout of ${name} is ${state}`,
    async () => {
      const seen = (await server(name)) as Rolled;
      if (seen.rollout?.state === state) return seen;
      throw new Error(`${seen.state}, ${JSON.stringify(seen.rollout)}`);
    },
    { timeoutMs: 120_000 },
  );
}

/** Of replicas that serve and are no session's, by server: one that never gets ready has another container every time. */
export async function containerIds(): Promise<Map<string, string[]>> {
  const { containers } = await expectStatus<{ containers: Container[] }>(
    200,
    api('GET', '/api/v1/containers'),
  );
  const standing = containers.filter(({ heldBy, state }) => heldBy === 'pool' && state === 'ready');
  const groups = Map.groupBy(standing, (one) => one.server);
  return new Map([...groups].map(([name, group]) => [name, group.map(({ id }) => id).sort()]));
}

/** The names of a server's replicas, as the engine has them in its labels. */
export async function engineReplicas(name: string): Promise<string[]> {
  const listed = await dockerInside(
    ...['ps', '--filter', `label=gantry.server=${name}`, '--format', '{{.Label "gantry.replica"}}'],
  );
  // What a server speaks is asked in replicas of their own, which are gone in a moment.
  const isOfPool = (replica: string): boolean => replica !== '' && !replica.includes('-era-');
  return listed.split('\n').filter(isOfPool).sort();
}
