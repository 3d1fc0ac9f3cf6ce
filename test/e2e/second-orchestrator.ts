import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { compose, dockerInside, dockerOnHost, type Json, type Server } from './harness.ts';
import { rawRequest } from './raw-http.ts';
import { until } from './until.ts';

/** Longer than it drains; docker kills what has not stopped by then. */
const STOP_SECONDS = 40;

export type TokenEntry = { readonly principal: string; readonly scopes: readonly ('call' | 'admin')[] };

/** A whole orchestrator for a test of its own, beside that of the stack. */
export type Beside = {
  /** `http://127.0.0.1:49153`, without a slash at the end; another one after each start. */
  readonly url: string;
  /** Another one after each start. */
  readonly adminToken: string;
  /** Label `gantry.owner` of everything that it has on the engine. */
  readonly owner: string;
  /** Its container on the host. */
  readonly container: string;
  /** Where the host reaches a port that one of its servers has of its own. */
  readonly urlOfPort: (port: number) => Promise<string>;
  /** What the engine has of it, running or not. */
  readonly containersOnEngine: () => Promise<readonly string[]>;
  /** As SIGKILL and a start of the same container. Resolves when it is ready again. */
  readonly killAndStart: () => Promise<void>;
  /** Stops it politely and removes it with all that it kept. @throws Error when it left anything on the engine */
  readonly end: () => Promise<void>;
};

export type SecondOrchestrator = Beside & {
  /** The token of a principal. @throws Error for one that was not configured */
  readonly tokenOf: (principal: string) => string;
};

/**
 * Starts a second orchestrator from the stack's image, on its engine and its Redis, with a configuration of its own: the
 * stack itself has no `auth.tokens`, because its other clients send none. The file's `servers` are given as an object.
 * Resolves when it and its servers are ready; whoever starts it ends it, in `test.after.always`.
 */
export async function startSecondOrchestrator({
  tokens = [],
  servers,
  ports = [3001],
  ...more
}: {
  readonly tokens?: readonly TokenEntry[];
  readonly servers: Readonly<Record<string, Json>>;
} & Partial<Pick<BesideOptions, 'ports' | 'portsFile'>>): Promise<SecondOrchestrator> {
  const secrets = new Map(tokens.map(({ principal }) => [principal, randomBytes(24).toString('base64url')]));
  const tokenOf = (principal: string): string => {
    const token = secrets.get(principal);
    if (token === undefined) throw new Error(`there is no token of ${principal}`);
    return token;
  };
  const entries = tokens.map((entry) => ({ ...entry, sha256: sha256(tokenOf(entry.principal)) }));
  const directory = await writeConfig({ auth: { tokens: entries }, servers });
  const started = await startBeside({
    directory,
    file: 'gantry.yaml',
    names: Object.keys(servers),
    ports,
    ...more,
    readyMs: 120_000,
    afterwards: () => rm(directory, { recursive: true, force: true }),
  });
  return Object.assign(started, { tokenOf });
}

export type BesideOptions = {
  /** Absolute directory of the configuration; the orchestrator's user has to be able to read it. */
  readonly directory: string;
  readonly file: string;
  /** Servers that have to be ready. */
  readonly names: readonly string[];
  /** Ports that servers may have of their own, in order. Each is published somewhere on the host. */
  readonly ports: readonly number[];
  /** A compose file that publishes what it says instead, such as the set-up writes. */
  readonly portsFile?: string;
  readonly readyMs: number;
  /** Runs when its container is gone. */
  readonly afterwards?: () => Promise<void>;
};

/** As `startSecondOrchestrator`, with a configuration that lies somewhere already. */
export async function startBeside(options: BesideOptions): Promise<Beside> {
  const owner = `second-${randomBytes(4).toString('hex')}`;
  const container = (await runBeside(owner, options)).trim();
  const removeIt = async (): Promise<void> => {
    await dockerOnHost('rm', '--force', '--volumes', container);
    await options.afterwards?.();
  };
  try {
    let reached = await untilReady(container, options);
    return {
      get url() {
        return reached.url;
      },
      get adminToken() {
        return reached.adminToken;
      },
      owner,
      container,
      urlOfPort: async (port) => `http://${await dockerOnHost('port', container, `${port}/tcp`)}`,
      containersOnEngine: () => containersOf(owner),
      killAndStart: async () => {
        await dockerOnHost('kill', '--signal', 'KILL', container);
        await dockerOnHost('start', container);
        reached = await untilReady(container, options);
      },
      end: async () => {
        await dockerOnHost('stop', '--time', String(STOP_SECONDS), container);
        const left = await containersOf(owner);
        await removeIt();
        await forgetKeys(owner);
        if (left.length > 0) throw new Error(`${owner} left ${left.length} containers on the engine`);
      },
    };
  } catch (error) {
    const log = await dockerOnHost('logs', '--tail', '20', container).catch(() => '');
    await removeIt();
    throw new Error(`the second orchestrator did not come up: ${log}`, { cause: error });
  }
}

/** What it kept in Redis: its keys begin with its owner. */
async function forgetKeys(owner: string): Promise<void> {
  const url = new URL(process.env.GANTRY_TEST_REDIS_URL ?? '');
  url.pathname = '/0'; // the tests' own database is another one
  const redis = new Redis(url.href);
  const keys = await redis.keys(`${owner}:*`);
  if (keys.length > 0) await redis.unlink(...keys);
  await redis.quit();
}

/** The orchestrator's user is not ours, and has to be able to read it. JSON is YAML too. */
async function writeConfig(settings: Json): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-second-'));
  await writeFile(join(directory, 'gantry.yaml'), JSON.stringify(settings), { mode: 0o644 });
  await chmod(directory, 0o755);
  return directory;
}

/** The service of the stack once more: same image, limits, networks and certificates. @returns the container's id */
function runBeside(owner: string, { directory, file, ports, portsFile }: BesideOptions): Promise<string> {
  const environment = {
    GANTRY_OWNER: owner,
    // It does not last, so nobody could take over what a socket channel keeps alive: all replicas are attached.
    GANTRY_STATE_DIR: '/tmp/state',
    GANTRY_CHANNEL_DIR: '',
    GANTRY_CONFIG: `/config/${file}`,
    GANTRY_ENVIRONMENT: '',
    GANTRY_SERVER_PORTS: `${ports.at(0)}-${ports.at(-1)}`,
  };
  return compose(
    ...(portsFile === undefined ? [] : ['--file', portsFile]),
    ...['run', '--detach', '--no-deps', '--name', owner],
    ...['--volume', `${directory}:/config:ro`],
    ...(portsFile === undefined
      ? [7400, ...ports].flatMap((port) => ['--publish', `127.0.0.1::${port}`])
      : ['--service-ports']),
    ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    'orchestrator',
  );
}

type Reached = { readonly url: string; readonly adminToken: string };

/** Both are new with each start: docker chooses a free port, and the token lies in a directory that does not last. */
async function untilReady(
  container: string,
  { names, readyMs }: Pick<BesideOptions, 'names' | 'readyMs'>,
): Promise<Reached> {
  const reached = await until('the second orchestrator is ready', async () => {
    const url = `http://${await dockerOnHost('port', container, '7400/tcp')}`;
    const adminToken = await dockerOnHost('exec', container, 'cat', '/tmp/state/admin-token');
    const { status, text } = await get(`${url}/readyz`, adminToken);
    if (status !== 200) throw new Error(text);
    return { url, adminToken };
  });
  await until(
    'its servers are ready',
    async () => {
      const { text } = await get(`${reached.url}/api/v1/servers`, reached.adminToken);
      const listed = (JSON.parse(text) as { servers: Server[] }).servers;
      // One that rests because nobody calls it has been ready.
      const isUp = (state = '') => state === 'ready' || state === 'paused';
      const late = names.filter((name) => !isUp(listed.find((one) => one.name === name)?.state));
      if (late.length > 0) throw new Error(`not ready: ${late.join(', ')} in ${text.slice(0, 1000)}`);
      return true;
    },
    { timeoutMs: readyMs },
  );
  return reached;
}

function get(url: string, token: string) {
  return rawRequest(new URL(url), { headers: { authorization: `Bearer ${token}` } });
}

async function containersOf(owner: string): Promise<readonly string[]> {
  const listed = await dockerInside('ps', '-aq', '--no-trunc', '--filter', `label=gantry.owner=${owner}`);
  return listed
    .split('\n')
    .filter((id) => id !== '')
    .sort();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
