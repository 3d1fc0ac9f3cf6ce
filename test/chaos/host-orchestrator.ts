import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compose, dockerInside, type Json, type Server } from '../e2e/harness.ts';
import { rawRequest } from '../e2e/raw-http.ts';
import { until } from '../e2e/until.ts';
import { ChaosProxy } from './chaos-proxy.ts';

const MAIN = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url));
const KEPT_OUTPUT = 200;
const JUMPED = 'the clock has jumped';
/** A wall clock that goes an hour ahead at SIGUSR2 and back at SIGHUP. */
const JUMPING_CLOCK = `data:text/javascript,${encodeURIComponent(`
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
const jump = (ms) => () => { ahead = ms; process.stderr.write('${JUMPED}\\n'); };
process.on('SIGUSR2', jump(3_600_000)).on('SIGHUP', jump(0));
`)}`;

/**
 * The orchestrator as a process of this host, with a proxy before the engine and one before Redis: the real engine, the
 * real Redis and real containers of the stack, and a network between them that does as it is told. It shares no volume with
 * the engine, so its replicas are attached: none has a socket.
 */
export class HostOrchestrator {
  readonly owner = `chaos-${randomBytes(4).toString('hex')}`;
  readonly engine: ChaosProxy;
  readonly redis: ChaosProxy;
  readonly #directory: string;
  readonly #port: number;
  readonly #redisHasPassword: boolean;
  readonly #usesRedis: boolean;
  readonly #output: string[] = [];
  #process: ChildProcess | null = null;

  private constructor(parts: {
    engine: ChaosProxy;
    redis: ChaosProxy;
    directory: string;
    port: number;
    redisHasPassword: boolean;
    usesRedis: boolean;
  }) {
    this.engine = parts.engine;
    this.redis = parts.redis;
    this.#directory = parts.directory;
    this.#port = parts.port;
    this.#redisHasPassword = parts.redisHasPassword;
    this.#usesRedis = parts.usesRedis;
  }

  /** @param servers as under `servers:` of gantry.yaml. Resolves when all of them are ready. */
  static async start(
    servers: Readonly<Record<string, Json>>,
    { usesRedis = true }: { readonly usesRedis?: boolean } = {},
  ): Promise<HostOrchestrator> {
    const directory = await mkdtemp(join(tmpdir(), 'gantry-chaos-'));
    const redis = new URL(required('GANTRY_TEST_REDIS_URL'));
    await compose('cp', 'orchestrator:/opt/gantry/bridge-image', directory);
    await writeFile(join(directory, 'redis-password'), decodeURIComponent(redis.password), { mode: 0o600 });
    await writeFile(join(directory, 'gantry.yaml'), JSON.stringify({ servers }));
    const mesh = new HostOrchestrator({
      engine: await ChaosProxy.start({
        host: required('GANTRY_TEST_ENGINE_HOST'),
        port: Number(required('GANTRY_TEST_ENGINE_PORT')),
      }),
      redis: await ChaosProxy.start({ host: redis.hostname, port: Number(redis.port || 6379) }),
      directory,
      port: await freePort(),
      redisHasPassword: redis.password !== '',
      usesRedis,
    });
    try {
      mesh.launch();
      await mesh.whole(Object.keys(servers));
      return mesh;
    } catch (error) {
      await mesh.end();
      throw new Error(`the orchestrator did not come up: ${mesh.output}`, { cause: error });
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What it printed lately. */
  get output(): string {
    return this.#output.join('');
  }

  launch(): void {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, ['--import', JUMPING_CLOCK, MAIN], {
      env: { PATH, ...this.#environment() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output.push(text);
        if (this.#output.length > KEPT_OUTPUT) this.#output.shift();
      });
    }
    this.#process = child;
  }

  /** @returns its exit code, or null where the signal ended it. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === null) throw new Error('the orchestrator is not running');
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    this.#process = null;
    return code;
  }

  /** A signal that it survives, such as SIGSTOP. */
  poke(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async api<T = Json>(
    method: string,
    path: string,
    body?: Json,
  ): Promise<{ readonly status: number; readonly json: T }> {
    const token = await readFile(join(this.#directory, 'admin-token'), 'utf8');
    const answer = await rawRequest(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${token.trim()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (answer.text === '' ? null : JSON.parse(answer.text)) as T };
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    return (await rawRequest(new URL('/metrics', this.url), { method: 'GET' })).text;
  }

  /** How often its clock has jumped. */
  get jumps(): number {
    return this.output.split(JUMPED).length - 1;
  }

  /** Every desired replica of these servers is ready, and the engine has the containers of exactly these. */
  async whole(servers: readonly string[], timeoutMs = 120_000): Promise<void> {
    await until(
      'the mesh is whole',
      async () => {
        for (const name of servers) {
          const { json } = await this.api<Server>('GET', `/api/v1/servers/${name}`);
          const { desired, ready } = json.replicas;
          if (ready !== desired)
            throw new Error(`${name}: ${ready} of ${desired}, ${JSON.stringify(json.reason)}`);
        }
        const known = await this.api<{ containers: { id: string }[] }>('GET', '/api/v1/containers');
        const ids = known.json.containers.map(({ id }) => id).sort();
        const onEngine = await this.containers();
        if (JSON.stringify(ids) !== JSON.stringify(onEngine))
          throw new Error(`${onEngine.length} on the engine, ${ids.length} known`);
        return true;
      },
      { timeoutMs },
    );
  }

  /** Full ids of what the engine has of this mesh, running or not. @param server of one server alone */
  async containers(server?: string): Promise<readonly string[]> {
    const filters = [
      `label=gantry.owner=${this.owner}`,
      ...(server === undefined ? [] : [`label=gantry.server=${server}`]),
    ];
    const listed = await dockerInside(
      'ps',
      '-aq',
      '--no-trunc',
      ...filters.flatMap((filter) => ['--filter', filter]),
    );
    return listed
      .split('\n')
      .filter((id) => id !== '')
      .sort();
  }

  /** Ends everything of it; nothing stays on the engine. */
  async end(): Promise<void> {
    this.engine.suffer({});
    this.redis.suffer({});
    if (this.#process !== null) await this.signal('SIGTERM');
    const left = await this.containers();
    if (left.length > 0) await dockerInside('rm', '-f', '-v', ...left);
    const volumes = await dockerInside('volume', 'ls', '-q', '--filter', `label=gantry.owner=${this.owner}`);
    for (const volume of volumes.split('\n').filter((name) => name !== ''))
      await dockerInside('volume', 'rm', volume);
    await Promise.all([this.engine.close(), this.redis.close()]);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #environment(): Record<string, string> {
    return {
      GANTRY_HOST: '127.0.0.1',
      GANTRY_PORT: String(this.#port),
      GANTRY_OWNER: this.owner,
      GANTRY_CONFIG: join(this.#directory, 'gantry.yaml'),
      GANTRY_STATE_DIR: this.#directory,
      GANTRY_BRIDGE_IMAGE_DIR: join(this.#directory, 'bridge-image'),
      // The engine's certificate names localhost, so a proxy on this host may stand before it.
      GANTRY_ENGINE_HOST: 'localhost',
      GANTRY_ENGINE_PORT: String(this.engine.port),
      GANTRY_ENGINE_CERTS: required('GANTRY_TEST_ENGINE_CERTS'),
      ...(this.#usesRedis
        ? { GANTRY_REDIS_HOST: '127.0.0.1', GANTRY_REDIS_PORT: String(this.redis.port) }
        : {}),
      ...(this.#redisHasPassword
        ? { GANTRY_REDIS_PASSWORD_FILE: join(this.#directory, 'redis-password') }
        : {}),
    };
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: run these tests through npm test, which starts the stack.`);
  return value;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
