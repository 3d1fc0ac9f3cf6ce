import { z } from 'zod';
import type {
  Balance,
  ContainerStatsView,
  ContainerView,
  LogLine,
  Retries,
  ServerView,
  ToolView,
} from '../../kernel/index.ts';
import { named } from './named.ts';
import { ReasonSchema, Rollout } from './reason-schemas.ts';

export { components } from './named.ts';

export const whole = z.int().min(0);
export const anyObject = z.record(z.string(), z.unknown());
export const breakerState = z.enum(['closed', 'open', 'half_open']);
const STATES = ['pending', 'starting', 'ready', 'paused', 'draining', 'stopped', 'failed'] as const;
/** Of a replica. */
export const state = z.enum(STATES);
const serverState = z.enum([...STATES, 'disabled']);

export const BalanceSchema: z.ZodType<Balance> = named(
  'Balance',
  z.object({
    strategy: z.enum([
      'least_connections',
      'peak_ewma',
      'round_robin',
      'weighted',
      'random',
      'consistent_hash',
    ]),
    weights: z.record(z.string(), z.int()),
    maxInFlight: z.int().nullable(),
    queueSize: whole,
    queueTimeoutMs: whole,
    slowStartMs: whole,
  }),
);
export const RetriesSchema: z.ZodType<Retries> = named(
  'Retries',
  z.object({ budgetPercent: whole, minPerSecond: whole, attempts: whole }),
);
export const Server: z.ZodType<ServerView> = named(
  'Server',
  z.object({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    state: serverState,
    reason: ReasonSchema.nullable(),
    nextTryAt: z.string().nullable(),
    origin: z.enum(['file', 'api', 'registered']),
    source: z.record(z.string(), z.string()),
    sharing: z.enum(['shared', 'session', 'principal', 'call']),
    network: z.enum(['none', 'internet']),
    resources: z.object({ memoryBytes: whole, cpus: z.number(), pids: whole }),
    breaker: z
      .object({
        consecutiveFailures: whole,
        failurePercent: z.number(),
        minCalls: whole,
        windowMs: whole,
        ejectMs: whole,
        maxEjectMs: whole,
      })
      .describe('Thresholds in force.'),
    health: z.object({ intervalMs: whole, timeoutMs: whole, rise: whole, fall: whole }),
    envKeys: z.array(z.string()),
    headerKeys: z.array(z.string()),
    replicas: z.object({
      desired: whole,
      ready: whole,
      total: whole,
      min: whole,
      max: whole,
      spare: whole,
    }),
    idle: z.enum(['paused', 'stopped']).nullable(),
    sessions: whole,
    callsInFlight: whole,
    callsQueued: whole,
    balance: BalanceSchema,
    retries: RetriesSchema,
    era: z.enum(['legacy', 'modern', 'both']).nullable(),
    protocolVersion: z.string().nullable(),
    capabilities: anyObject,
    serverInfo: anyObject,
    toolCount: whole,
    url: z.string(),
    dependsOn: z.array(z.string()),
    rollout: Rollout.nullable(),
  }),
);
export const ServerList = named('ServerList', z.object({ servers: z.array(Server) }));
export const ScaleRequest = named('ScaleRequest', z.strictObject({ replicas: whole }));

export const Tool: z.ZodType<ToolView> = named('Tool', z.looseObject({ name: z.string() }));
export const ToolList = named('ToolList', z.object({ tools: z.array(Tool) }));
export const ToolArguments = named('ToolArguments', anyObject);
/** Whatever the server answers; only that it is an object is ours to promise. */
export const CallToolResult = named('CallToolResult', z.looseObject({}));

export const Container: z.ZodType<ContainerView> = named(
  'Container',
  z.object({
    id: z.string(),
    server: z.string(),
    replica: z.string(),
    generation: whole,
    state,
    breaker: breakerState.describe('open: gets no calls. half_open: a replacement before its first probe.'),
    heldBy: z.enum(['pool', 'session']),
    spare: z.boolean(),
    idle: z.boolean(),
    restarts: whole,
    startedAt: z.string().nullable(),
    channel: z.enum(['attach', 'socket', 'http']),
    exit: z
      .object({
        reason: z.enum(['oom', 'signal', 'exited', 'killed']),
        code: z.int(),
        signal: z.string().nullable(),
        at: z.string(),
      })
      .nullable(),
    limits: z.object({
      memoryBytes: whole,
      memorySwapBytes: z.int(),
      cpus: z.number(),
      pids: z.int(),
      nofile: whole,
    }),
    isolation: z.object({
      network: z.string(),
      readOnlyRoot: z.boolean(),
      user: z.string(),
      capAdd: z.array(z.string()),
      capDrop: z.array(z.string()),
      noNewPrivileges: z.boolean(),
      logDriver: z.string(),
      runtime: z.string().describe('runc, or runsc where the server runs under gVisor.'),
    }),
    labels: z.record(z.string(), z.string()),
  }),
);
export const ContainerList = named('ContainerList', z.object({ containers: z.array(Container) }));
export const ContainerStats: z.ZodType<ContainerStatsView> = named(
  'ContainerStats',
  z.object({
    cpuPercent: z.number(),
    memoryBytes: whole,
    memoryLimitBytes: whole,
    pids: whole,
    pidsLimit: z.int(),
    oomKills: whole,
  }),
);
/** The data of one event of a followed log. */
export const LogEvent: z.ZodType<LogLine> = named('LogEvent', z.object({ at: z.string(), line: z.string() }));

export const Alive = named('Alive', z.object({ status: z.literal('ok') }));
export const Readiness = named(
  'Readiness',
  z.object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.object({ engine: z.string(), redis: z.string() }),
  }),
);

export const ErrorBody = named(
  'Error',
  z.object({ error: z.object({ code: z.string(), message: z.string(), detail: anyObject }) }),
);
export const JsonRpcMessage = named('JsonRpcMessage', z.looseObject({ jsonrpc: z.literal('2.0') }));
export const JsonRpcErrorBody = named(
  'JsonRpcError',
  z.object({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string(), z.int()]).nullable(),
    error: z.object({ code: z.int(), message: z.string(), data: z.looseObject({ code: z.string() }) }),
  }),
);
export const AnyObject = named('AnyObject', anyObject.clone());
