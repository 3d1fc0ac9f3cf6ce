import type { Middleware } from 'koa';
import type { Facts } from '../kernel/index.ts';
import type {
  AgentControl,
  Auth,
  ContainerControl,
  Health,
  InfrastructureView,
  Metrics,
  ServerControl,
  TaskControl,
  ToolControl,
} from './control.ts';
import type { McpHandler } from './mcp/handler.ts';
import type { MeshControl } from './mesh-control.ts';

/** Everything the app needs, handed in by main. */
export type HttpOptions = {
  readonly servers: ServerControl;
  readonly containers: ContainerControl;
  readonly tools: ToolControl;
  readonly mesh: MeshControl;
  readonly tasks: TaskControl;
  readonly agents: AgentControl;
  readonly health: Health;
  /** The engine, Redis and this process, with their own state. */
  readonly infrastructure: () => Promise<readonly InfrastructureView[]>;
  readonly metrics: Metrics;
  readonly auth: Auth;
  readonly facts: Facts;
  /** Answers POST, GET and DELETE of an MCP endpoint. */
  readonly mcp: McpHandler;
  /** Answers GET `/sse/{server}` and POST `/messages/{server}`; finds the server's name in `ctx.params.server`. */
  readonly sse: Middleware;
  /** Host names, at any port, or `host:port`, served besides the loopback ones. */
  readonly allowedHosts: readonly string[];
  /** Origins as browsers write them (`https://tools.example`), allowed besides the loopback ones. */
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** Of Gantry itself, for the OpenAPI document. */
  readonly version: string;
  /** JSON schema of one entry under `servers:`; the config room owns it. Without `$defs`: its references must resolve. */
  readonly entrySchema: Readonly<Record<string, unknown>>;
  /** Tasks that wait in the bus; 0 when there is none. */
  readonly pendingTasks?: () => Promise<number>;
  /** Aborts when the process begins to shut down: streams that would never end by themselves end then. */
  readonly closing?: AbortSignal;
};
