import type { EraVerdict } from './era.ts';
import type { Reason } from './reason.ts';
import type { Balance, BreakerPolicy, HealthPolicy, Retries, Sharing } from './server-spec.ts';

/**
 * What the API says about the mesh: the shapes of docs/api.md, field by field. Rooms that know the facts build
 * them; `http` passes them on and describes them in OpenAPI.
 */
export type ServerState =
  | 'pending'
  | 'starting'
  | 'ready'
  | 'paused'
  | 'draining'
  | 'stopped'
  | 'failed'
  /** In the configuration, and not run: servers only. */
  | 'disabled';

/** `open`: gets no calls. `half_open`: a replacement that still has to answer its first probe. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export type ServerView = {
  readonly name: string;
  readonly state: ServerState;
  readonly reason: Reason | null;
  /** ISO time of the next try after a failure, or null. */
  readonly nextTryAt: string | null;
  readonly origin: 'file' | 'api' | 'registered';
  /** As configured, plus `resolved` where a missing version was pinned. */
  readonly source: Readonly<Record<string, string>>;
  readonly sharing: Sharing;
  readonly network: 'none' | 'internet';
  readonly resources: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
  /** Thresholds in force. */
  readonly breaker: BreakerPolicy;
  readonly health: HealthPolicy;
  /** Names only: values may be secrets. */
  readonly envKeys: readonly string[];
  /** Of a server elsewhere; names only. */
  readonly headerKeys: readonly string[];
  readonly replicas: {
    readonly desired: number;
    readonly ready: number;
    readonly total: number;
    /** Between these two `desired` follows the load. */
    readonly min: number;
    readonly max: number;
    /** Spares that wait now. */
    readonly spare: number;
  };
  /** How deep the standing replicas sleep because nobody uses them; null while they are awake. */
  readonly idle: 'paused' | 'stopped' | null;
  readonly sessions: number;
  readonly callsInFlight: number;
  /** Calls that wait for a replica. */
  readonly callsQueued: number;
  readonly balance: Balance;
  readonly retries: Retries;
  /** What was found out about the image, command and arguments; null while it is not known. */
  readonly era: EraVerdict['era'] | null;
  readonly protocolVersion: string | null;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly serverInfo: Readonly<Record<string, unknown>>;
  readonly toolCount: number;
  readonly url: string;
  readonly dependsOn: readonly string[];
  /** The last change that replaced replicas, running or over; null where there was none since the start. */
  readonly rollout: RolloutView | null;
};

/** `starting`: new replicas come up. `watching`: they serve, the old ones are kept. `draining`: the old ones end. */
export type RolloutState = 'starting' | 'watching' | 'draining' | 'done' | 'rolled_back' | 'superseded';

/** What a client sees of a change: names of tools. */
export type ToolDifference = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Same name, another description or schema. */
  readonly changed: readonly string[];
};

export type RolloutView = {
  readonly state: RolloutState;
  /** Beside the old replicas, or after their end where both must not open one data volume. */
  readonly mode: 'beside' | 'stop_first';
  readonly startedAt: string;
  /** When it was decided: done, rolled back or superseded. */
  readonly endedAt: string | null;
  /** Why it was rolled back. */
  readonly reason: Reason | null;
  /** Null while the new tools are not known. */
  readonly tools: ToolDifference | null;
};

/** One thing that is wrong with the configuration. */
export type ConfigProblem = {
  readonly file: string;
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
};

/** gantry.yaml as it was last read. */
export type ConfigView = {
  /** Chosen by GANTRY_ENVIRONMENT, or null. */
  readonly environment: string | null;
  /** In the order in which they are laid over each other. */
  readonly files: readonly string[];
  /** When a reading last came into force. */
  readonly appliedAt: string;
  /** Settings other than servers differ from those in force: a start of the orchestrator reads them. */
  readonly settingsChanged: boolean;
  readonly lastReload: {
    readonly at: string;
    readonly trigger: 'watch' | 'api';
    readonly outcome: 'applied' | 'unchanged' | 'refused';
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
    /** Why it was refused; then nothing was changed. */
    readonly problems: readonly ConfigProblem[];
  } | null;
};

export type ContainerView = {
  readonly id: string;
  readonly server: string;
  readonly replica: string;
  readonly generation: number;
  readonly state: ServerState;
  /** Of its place in the pool, or its own where a session holds it. */
  readonly breaker: BreakerState;
  readonly heldBy: 'pool' | 'session';
  /** Started in advance and handed to nobody yet. */
  readonly spare: boolean;
  /** Paused or stopped because nobody uses it; a call brings it back. */
  readonly idle: boolean;
  readonly restarts: number;
  readonly startedAt: string | null;
  readonly channel: 'attach' | 'socket' | 'http';
  readonly exit: {
    readonly reason: 'oom' | 'signal' | 'exited' | 'killed';
    readonly code: number;
    readonly signal: string | null;
    readonly at: string;
  } | null;
  readonly limits: {
    readonly memoryBytes: number;
    readonly memorySwapBytes: number;
    readonly cpus: number;
    readonly pids: number;
    readonly nofile: number;
  };
  readonly isolation: {
    readonly network: string;
    readonly readOnlyRoot: boolean;
    readonly user: string;
    readonly capAdd: readonly string[];
    readonly capDrop: readonly string[];
    readonly noNewPrivileges: boolean;
    readonly logDriver: string;
    readonly runtime: string;
  };
  readonly labels: Readonly<Record<string, string>>;
};

export type ContainerStatsView = {
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly pids: number;
  readonly pidsLimit: number;
  readonly oomKills: number;
};

/** One line of a replica's stderr. */
export type LogLine = { readonly at: string; readonly line: string };

/** A tool as the server described it; Gantry passes it on unchanged. */
export type ToolView = { readonly name: string } & Readonly<Record<string, unknown>>;

/** One standing place of a server, with or without a process behind it: what balancing and breakers know. */
export type PlaceView = {
  /** Of the replica that fills it, now or next. */
  readonly replica: string;
  readonly state: ServerState;
  /** At rest because nobody uses it; a call brings it back. */
  readonly idle: boolean;
  readonly breaker: BreakerState;
  readonly callsInFlight: number;
  /** Why it does not serve, where that is known. */
  readonly reason: Reason | null;
  /** Where it is, for a server that is not run here; else null. */
  readonly url: string | null;
  /** The id that it registered under, or null. */
  readonly registeredAs: string | null;
};

/** A replica as the mesh routes show it. */
export type ReplicaView = {
  readonly id: string;
  readonly containerId: string;
  readonly state: ServerState;
  readonly callsInFlight: number;
  readonly breaker: BreakerState;
  readonly heldBy: 'pool' | 'session';
  /** As in `ContainerView`. */
  readonly spare: boolean;
  readonly idle: boolean;
};
