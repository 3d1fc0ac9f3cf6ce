import type { Auth, Caller, HttpOptions, InfrastructureView } from '../../orchestrator/http/index.ts';
import {
  type ConfigView,
  type ContainerView,
  Facts,
  GantryError,
  type LogLine,
  type ServerView,
  type ToolView,
} from '../../orchestrator/kernel/index.ts';
import { fakeMeshControl } from './mesh-control.ts';
import { SERVER_DEFAULTS } from './server-defaults.ts';
import { fakeTasks } from './task-controls.ts';

export const CONTAINER_ID = `${'c0ffee'.repeat(10)}abcd`;

export const SERVER: ServerView = {
  name: 'everything',
  state: 'ready',
  reason: null,
  nextTryAt: null,
  origin: 'file',
  source: { npm: '@modelcontextprotocol/server-everything@2026.8.31' },
  sharing: 'session',
  network: 'none',
  resources: { memoryBytes: 268_435_456, cpus: 1, pids: 128 },
  breaker: SERVER_DEFAULTS.breaker,
  health: SERVER_DEFAULTS.health,
  envKeys: ['TZ'],
  headerKeys: [],
  replicas: { desired: 1, ready: 1, total: 3, min: 1, max: 1, spare: 0 },
  idle: null,
  sessions: 2,
  callsInFlight: 0,
  callsQueued: 0,
  balance: SERVER_DEFAULTS.balance,
  retries: SERVER_DEFAULTS.retries,
  era: 'legacy',
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'everything' },
  toolCount: 2,
  url: 'http://127.0.0.1:7400/mcp/everything',
  dependsOn: [],
  rollout: {
    state: 'rolled_back',
    mode: 'beside',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:01.000Z',
    reason: { code: 'exited', message: 'It ended.', exitCode: 1, stderr: ['no config'] },
    tools: { added: ['new'], removed: [], changed: [] },
  },
};

export const CONFIG: ConfigView = {
  environment: 'production',
  files: ['gantry.yaml', 'gantry.production.yaml'],
  appliedAt: '2026-01-01T00:00:00.000Z',
  settingsChanged: false,
  lastReload: {
    at: '2026-01-01T00:01:00.000Z',
    trigger: 'watch',
    outcome: 'refused',
    added: [],
    changed: [],
    removed: [],
    problems: [{ file: 'gantry.yaml', path: 'servers.x', line: 3, column: 5, message: 'is wrong' }],
  },
};

export const CONTAINER: ContainerView = {
  id: CONTAINER_ID,
  server: 'everything',
  replica: 'everything-1',
  generation: 1,
  state: 'ready',
  breaker: 'closed',
  heldBy: 'pool',
  spare: false,
  idle: false,
  restarts: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  channel: 'attach',
  exit: { reason: 'oom', code: 137, signal: 'SIGKILL', at: '2026-01-01T00:00:00.000Z' },
  limits: { memoryBytes: 1, memorySwapBytes: 1, cpus: 1, pids: 128, nofile: 1024 },
  isolation: {
    network: 'none',
    readOnlyRoot: true,
    user: '10001',
    capAdd: [],
    capDrop: ['ALL'],
    noNewPrivileges: true,
    logDriver: 'none',
    runtime: 'runc',
  },
  labels: { 'gantry.server': 'everything' },
};

const KEPT: readonly LogLine[] = [{ at: '2026-01-01T00:00:00.000Z', line: 'kept' }];

/** Tokens by what they may do. `admin` is known whether or not tokens are configured. */
const CALLERS: Readonly<Record<string, Caller>> = {
  'admin-token': { principal: 'admin', scopes: ['admin'] },
  'call-token': { principal: 'alice', scopes: ['call'] },
};

export function fakeAuth(required: boolean): Auth {
  return {
    required,
    callerOf: (token) => (required || token === 'admin-token' ? (CALLERS[token] ?? null) : null),
  };
}

/** Controls that know one server and one container, and answer at once. */
export function fakeControls(overrides: Partial<HttpOptions> = {}): HttpOptions {
  const serverOf = (name: string): ServerView => {
    if (name !== SERVER.name) throw new GantryError('server_not_found', `No server is called "${name}".`);
    return SERVER;
  };
  const toolsOf = (name: string): readonly ToolView[] => {
    serverOf(name);
    return [{ name: 'echo', inputSchema: { type: 'object' } }, { name: 'add' }];
  };
  const containerOf = (id: string): ContainerView => {
    if (id.length < 12 || !CONTAINER_ID.startsWith(id))
      throw new GantryError('container_not_found', 'Not ours.');
    return CONTAINER;
  };
  return {
    servers: {
      list: () => [SERVER],
      get: serverOf,
      create: async () => [SERVER],
      patch: async (name) => serverOf(name),
      remove: async (name) => void serverOf(name),
      start: async (name) => serverOf(name),
      stop: async (name) => serverOf(name),
      restart: async (name) => serverOf(name),
      scale: async (name) => serverOf(name),
      replicas: () => [
        {
          id: 'everything-1',
          containerId: CONTAINER_ID,
          state: 'ready',
          callsInFlight: 0,
          breaker: 'closed',
          heldBy: 'pool',
          spare: false,
          idle: false,
        },
      ],
      config: () => CONFIG,
      reload: async () => ({ added: ['clock'], changed: [], removed: [], settingsChanged: false }),
    },
    containers: {
      list: async () => [CONTAINER],
      get: async (id) => containerOf(id),
      act: async (id) => containerOf(id),
      stats: async (id) => {
        containerOf(id);
        return {
          cpuPercent: 1.5,
          memoryBytes: 1,
          memoryLimitBytes: 2,
          pids: 11,
          pidsLimit: 128,
          oomKills: 0,
        };
      },
      logs: async (id) => {
        containerOf(id);
        return {
          lines: KEPT,
          async *follow() {
            yield { at: '2026-01-01T00:00:01.000Z', line: 'next' };
          },
        };
      },
    },
    tools: {
      known: (server) => toolsOf(server),
      list: async (server) => toolsOf(server),
      // Text that parse and stringify would change.
      call: async (server, tool, args) => {
        serverOf(server);
        return `{"content":[], "big":12345678901234567890,"tool":${JSON.stringify(tool)},"args":${JSON.stringify(args)}}`;
      },
    },
    mesh: fakeMeshControl(),
    ...fakeTasks(),
    infrastructure: async () => INFRASTRUCTURE,
    health: { check: async () => ({ engine: 'ok', redis: 'ok' }) },
    metrics: {
      render: async () => ({
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        text: 'gantry_up 1\n',
      }),
    },
    auth: fakeAuth(false),
    facts: new Facts(),
    mcp: async ({ req, res, server }) => {
      if (req.method === 'DELETE') {
        res.writeHead(204).end();
        return;
      }
      const type = req.method === 'GET' ? 'text/event-stream' : 'application/json';
      res.writeHead(200, { 'Content-Type': type });
      res.end(`{"jsonrpc":"2.0","id":1,"result":{"server":${JSON.stringify(server)}}}`);
    },
    sse: async (ctx) => {
      ctx.status = ctx.method === 'GET' ? 200 : 202;
      if (ctx.method !== 'GET') return;
      ctx.type = 'text/event-stream';
      ctx.body = 'event: endpoint\ndata: /messages/x?sessionId=y\n\n';
    },
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 64 * 1024,
    version: '0.1.0',
    entrySchema: { type: 'object', properties: { npm: { type: 'string' } }, additionalProperties: false },
    ...overrides,
  };
}

const INFRASTRUCTURE: readonly InfrastructureView[] = (['engine', 'redis', 'orchestrator'] as const).map(
  (name) => ({
    id: name,
    name,
    address: '127.0.0.1',
    port: 1,
    tags: ['infrastructure'],
    metadata: { message: 'ok', url: `tcp://${name}:1` },
    state: 'healthy',
  }),
);
