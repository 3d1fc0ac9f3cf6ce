import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type RawAnswer, rawRequest } from './raw-http.ts';

/**
 * How a test reaches the running stack. Three variables say where it is; a test without them fails and says so,
 * because a test that is skipped shows nothing.
 */
function required(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: run these tests through npm test, which starts the stack.`);
  return value;
}

/** `http://127.0.0.1:7410`, without a slash at the end. */
export const baseUrl: string = required('GANTRY_TEST_URL').replace(/\/$/, '');
export const adminToken: string = required('GANTRY_TEST_ADMIN_TOKEN');
/** `docker compose -p … -f …`: what comes before the command of docker compose. */
const composePrefix: readonly string[] = JSON.parse(required('GANTRY_TEST_COMPOSE'));

const run = promisify(execFile);

/** Runs `docker compose <args>` on the stack and gives back its stdout. Throws where it fails. */
export async function compose(...args: readonly string[]): Promise<string> {
  const [program, ...rest] = [...composePrefix, ...args];
  const { stdout } = await run(program ?? 'docker', rest, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Runs docker inside the engine container: what the engine itself says, whatever the API claims. */
export function dockerInside(...args: readonly string[]): Promise<string> {
  return compose('exec', '-T', 'dind', 'docker', ...args);
}

/** Runs docker on the host. */
export async function dockerOnHost(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args);
  return stdout.trim();
}

export type Json = Record<string, unknown>;

export type Server = {
  readonly name: string;
  readonly state: string;
  readonly reason: {
    readonly code: string;
    readonly message: string;
    readonly exitCode: number | null;
    readonly stderr: readonly string[];
  } | null;
  readonly nextTryAt: string | null;
  readonly origin: string;
  readonly source: Record<string, string>;
  readonly resources: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
  readonly replicas: { readonly desired: number; readonly ready: number; readonly total: number };
  readonly sessions: number;
  readonly callsInFlight: number;
  readonly era: string | null;
  readonly protocolVersion: string | null;
  readonly toolCount: number;
  readonly url: string;
};

export type Container = {
  readonly id: string;
  readonly server: string;
  readonly replica: string;
  readonly generation: number;
  readonly state: string;
  readonly heldBy: 'pool' | 'session';
  readonly breaker: string;
  readonly restarts: number;
  readonly channel: string;
  readonly exit: { readonly reason: string; readonly code: number; readonly signal: string | null } | null;
  readonly limits: Readonly<Record<'memoryBytes' | 'memorySwapBytes' | 'cpus' | 'pids' | 'nofile', number>>;
  readonly isolation: Json;
  readonly labels: Readonly<Record<string, string>>;
};

type ApiOptions = { readonly body?: unknown; readonly token?: string | null; readonly headers?: Json };

/** One request to the API, as the admin unless `token` says otherwise. `body` is sent as JSON. */
export function api(method: string, path: string, options: ApiOptions = {}): Promise<RawAnswer> {
  const token = options.token === undefined ? adminToken : options.token;
  return rawRequest(new URL(path, `${baseUrl}/`), {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.headers as Record<string, string> | undefined),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
}

/** The answer's JSON, where the status is as expected; otherwise throws with the whole answer. */
export async function expectStatus<T = Json>(status: number, answer: Promise<RawAnswer>): Promise<T> {
  const got = await answer;
  if (got.status !== status)
    throw new Error(`expected ${status}, got ${got.status}: ${got.text.slice(0, 2000)}`);
  return (got.text === '' ? {} : JSON.parse(got.text)) as T;
}

export function server(name: string): Promise<Server> {
  return expectStatus<Server>(200, api('GET', `/api/v1/servers/${name}`));
}

export async function containersOf(name: string): Promise<readonly Container[]> {
  const { containers } = await expectStatus<{ containers: Container[] }>(
    200,
    api('GET', '/api/v1/containers'),
  );
  return containers.filter((container) => container.server === name);
}

/** The one container of the pool of a server with one standing replica. */
export async function standingContainer(name: string): Promise<Container> {
  const found = (await containersOf(name)).filter((one) => one.heldBy === 'pool' && one.state === 'ready');
  const [container] = found;
  if (!container) throw new Error(`${name} has no ready standing container`);
  return container;
}

/** Calls a tool over REST and gives back the text of its result. */
export async function callTool(name: string, tool: string, args: Json = {}): Promise<string> {
  const path = `/api/v1/servers/${name}/tools/${tool}`;
  const result = await expectStatus<ToolResult>(200, api('POST', path, { body: args, token: null }));
  return textOf(result);
}

export type ToolResult = {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly isError?: boolean;
};

/** The text of a result; throws where the tool reports an error. */
export function textOf(result: unknown): string {
  const { content, isError } = result as ToolResult;
  const text = content.map((part) => part.text ?? '').join('');
  if (isError) throw new Error(`the tool answered with isError: ${text}`);
  return text;
}

/** A sample of /metrics, summed over all label sets that contain `labels` literally, such as `server="x"`. */
export async function metric(name: string, ...labels: readonly string[]): Promise<number> {
  const { text } = await api('GET', '/metrics');
  const rows = text.split('\n').filter((row) => row.startsWith(`${name}{`) || row.startsWith(`${name} `));
  if (rows.length === 0 && !text.includes(`# TYPE ${name} `)) throw new Error(`/metrics has no ${name}`);
  return rows
    .filter((row) => labels.every((label) => row.includes(label)))
    .reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(' ') + 1)), 0);
}
