import type {
  Agent,
  AgentOutcome,
  ClaimedTask,
  ConfigView,
  ContainerStatsView,
  ContainerView,
  DeadLetter,
  Ending,
  EnqueuedTask,
  LogLine,
  ReplicaView,
  ServerView,
  TaskRequest,
  TaskResult,
  ToolView,
} from '../kernel/index.ts';

/**
 * The functions that routes call. `http` declares them, `main` hands them in: no route knows which room does
 * the work. All reject with GantryError only.
 */
export type ServerControl = {
  list(): readonly ServerView[];
  /** @throws GantryError server_not_found */
  get(name: string): ServerView;
  /** Body: `{"name", …entry}`, or a document of another format. @throws invalid_config, server_exists, registry_unavailable */
  create(body: unknown): Promise<readonly ServerView[]>;
  /** JSON merge patch. @throws managed_by_file, invalid_config, server_not_found */
  patch(name: string, body: unknown): Promise<ServerView>;
  /** Resolves once the server's containers are gone. @throws managed_by_file */
  remove(name: string): Promise<void>;
  start(name: string): Promise<ServerView>;
  stop(name: string): Promise<ServerView>;
  restart(name: string): Promise<ServerView>;
  /** @throws invalid_request when `replicas` is out of range */
  scale(name: string, replicas: number): Promise<ServerView>;
  replicas(name: string): readonly ReplicaView[];
  /** gantry.yaml as it was last read, and why it was refused where it was. */
  config(): ConfigView;
  /** Reads gantry.yaml again and applies exactly the difference. @throws invalid_config, nothing changed */
  reload(): Promise<{
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
    /** Settings other than servers changed: they take effect at the next start of the orchestrator. */
    readonly settingsChanged: boolean;
  }>;
};

export type ContainerControl = {
  list(): Promise<readonly ContainerView[]>;
  /** By full id or a prefix of 12 and more; only Gantry's own. @throws container_not_found */
  get(idOrPrefix: string): Promise<ContainerView>;
  /** @throws container_not_found, invalid_state */
  act(idOrPrefix: string, verb: ContainerVerb): Promise<ContainerView>;
  stats(idOrPrefix: string): Promise<ContainerStatsView>;
  /** The lines kept, and a way to hear the next ones. `follow` ends when the container's output does. */
  logs(
    idOrPrefix: string,
  ): Promise<{ readonly lines: readonly LogLine[]; follow(signal: AbortSignal): AsyncIterable<LogLine> }>;
};

export type ContainerVerb = 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'resume';

/** Calls outside sessions, for people with nothing but curl. */
export type ToolControl = {
  /** What the server listed since it was last ready; none while that is not known. Starts and asks nothing. */
  known(server: string): readonly ToolView[];
  /** @throws server_not_found, no_replica, queue_full */
  list(server: string, principal: string, signal: AbortSignal): Promise<readonly ToolView[]>;
  /**
   * @returns the exact JSON text of the CallToolResult.
   * @throws tool_not_found, mcp_error (`detail {code,message,data}`), replica_failed, call_timeout, no_replica, queue_full
   */
  call(
    server: string,
    tool: string,
    args: Record<string, unknown>,
    principal: string,
    signal: AbortSignal,
  ): Promise<string>;
};

/** The task bus. `viewer` is the principal whose tasks are meant; null means everybody's. All throw registry_unavailable. */
export type TaskControl = {
  /** All or none. @throws unprocessable, server_not_found, queue_full, invalid_state */
  enqueue(requests: readonly TaskRequest[], principal: string): Promise<readonly EnqueuedTask[]>;
  /** @returns one JSON object as text: results are passed on as they came. @throws task_not_found */
  status(id: string, viewer: string | null): Promise<string>;
  /** Newest first; `json` as `status` returns it. */
  results(topic: string, count: number, viewer: string | null): Promise<readonly TaskResult[]>;
  dead(topic: string, count: number, viewer: string | null): Promise<readonly DeadLetter[]>;
  /** @throws task_not_found, invalid_state */
  replay(id: string, viewer: string | null): Promise<void>;
  /** @throws task_not_found, invalid_state */
  discard(id: string, viewer: string | null): Promise<void>;
};

/** Agents, and what they do with tasks. All throw registry_unavailable. */
export type AgentControl = {
  /** How long an agent counts as there, and a task that it claimed as its own, after it was last heard of. */
  readonly ttlSeconds: number;
  list(): Promise<readonly Agent[]>;
  /** @param agent null keeps what is known. @returns which tasks are still its own. @throws agent_not_found, queue_full */
  beat(id: string, agent: Omit<Agent, 'id'> | null, tasks: readonly string[]): Promise<readonly string[]>;
  /** @throws unprocessable */
  claim(topic: string, agent: string, count: number): Promise<readonly ClaimedTask[]>;
  /** @returns what has become of it. @throws task_not_found, invalid_state */
  settle(id: string, agent: string, outcome: AgentOutcome): Promise<Ending['kind']>;
};

export type Health = {
  /** `ok` or what is wrong, by dependency. */
  check(): Promise<{ readonly engine: string; readonly redis: string }>;
};

/** What Gantry stands on, in the shape of a service. */
export type InfrastructureView = {
  readonly id: string;
  readonly name: 'engine' | 'redis' | 'orchestrator';
  readonly address: string;
  readonly port: number;
  readonly tags: readonly ['infrastructure'];
  readonly metadata: { readonly message: string; readonly url: string };
  readonly state: 'healthy' | 'unhealthy';
};

/** Prometheus text and its content type. */
export type Metrics = { render(): Promise<{ readonly contentType: string; readonly text: string }> };

/** Who calls, and what they may do. */
export type Caller = { readonly principal: string; readonly scopes: readonly ('call' | 'admin')[] };

export type Auth = {
  /** True when tokens are configured: then every request but the health checks needs one. */
  readonly required: boolean;
  /** Constant time. Knows the configured tokens and the admin token. */
  callerOf(token: string): Caller | null;
};
