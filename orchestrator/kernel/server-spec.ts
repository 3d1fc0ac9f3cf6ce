import type { ToolFilter } from './tool-filter.ts';

/** A server as configured, after validation: every default filled in, every size in bytes. No I/O here. */
export type ServerSpec = {
  /** `^[a-z][a-z0-9-]{0,62}$` */
  readonly name: string;
  /** `registered`: over the mesh API, for a time. */
  readonly origin: 'file' | 'api' | 'registered';
  readonly source: Source;
  /** Arguments after the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly sharing: Sharing;
  /** Standing replicas that are always there. */
  readonly replicas: number;
  readonly scaling: Scaling;
  readonly idle: Idle;
  /** Replicas for sessions beyond the standing ones. */
  readonly maxSessions: number;
  readonly resources: Resources;
  readonly network: 'none' | 'internet';
  /** `auto`: over a socket where the image has the bridge, by attach elsewhere. */
  readonly channel: 'auto' | 'attach';
  /** What runs its containers: `runsc` is gVisor, a kernel of their own. */
  readonly runtime: ContainerRuntime;
  /** Absolute path inside the container where a named volume is mounted, or null. */
  readonly data: string | null;
  readonly timeouts: Timeouts;
  readonly breaker: BreakerPolicy;
  readonly health: HealthPolicy;
  readonly balance: Balance;
  readonly retries: Retries;
  /** A host port of the published range on which this server alone answers at `/mcp`, or null. */
  readonly port: number | null;
  /** Servers that have to be ready before this one is started for the first time. */
  readonly dependsOn: readonly string[];
  readonly rollout: RolloutTimes;
  /** Its tools that are listed and can be called. */
  readonly tools: ToolFilter;
  /** Why it is not run; null: it is. */
  readonly disabled: string | null;
};

/** Where the program comes from. */
export type Source =
  | {
      readonly kind: 'npm';
      readonly name: string;
      readonly version: string | null;
      readonly bin: string | null;
    }
  | {
      readonly kind: 'pypi';
      readonly name: string;
      readonly version: string | null;
      readonly bin: string | null;
    }
  | { readonly kind: 'image'; readonly image: string; readonly command: readonly string[] | null }
  /** `path` is absolute; the build context is streamed from there. */
  | { readonly kind: 'build'; readonly path: string; readonly command: readonly string[] | null }
  /** Not run here: reached over HTTP, one standing replica for each place. */
  | {
      readonly kind: 'url';
      readonly places: readonly RemotePlace[];
      /** Of every request there, names in lower case. Values may be secrets. */
      readonly headers: Readonly<Record<string, string>>;
    };

/** One instance of a server elsewhere. */
export type RemotePlace = {
  /** Of the standing replica that is the connection to it; stays as long as the instance does. */
  readonly number: number;
  readonly url: string;
  /** What the one who registered it calls it, or null. */
  readonly id: string | null;
};

export type ContainerRuntime = 'runc' | 'runsc';

/** How a server's replicas are handed out (docs/architecture.md, Words). */
export type Sharing = 'shared' | 'session' | 'principal' | 'call';

export type Resources = {
  readonly memoryBytes: number;
  /** Cores; fractions allowed. */
  readonly cpus: number;
  readonly pids: number;
};

/** What is added to the standing replicas under load, and kept in advance. */
export type Scaling = {
  /** Standing replicas at most; the same as `replicas` where nothing is scaled. */
  readonly max: number;
  /** Spares that wait for a session, a call or the place of a dead replica. */
  readonly warm: number;
  /** Calls in flight or queued for each replica that scaling aims at. */
  readonly targetInFlight: number;
  /** So long fewer replicas must have been enough before some are ended. */
  readonly scaleDownAfterMs: number;
};

/** When standing replicas that nobody uses are put to rest; null is never. */
export type Idle = { readonly pauseAfterMs: number | null; readonly stopAfterMs: number | null };

export type Timeouts = {
  /** Container start to completed MCP handshake. */
  readonly readyMs: number;
  /** Counted from the server's last message for a call. */
  readonly callTimeoutMs: number;
  /** Ceiling of one call, whatever the server says meanwhile. */
  readonly maxCallMs: number;
  /** A session without a request for so long is ended. */
  readonly sessionIdleMs: number;
  /** How long calls in flight may go on when a replica or the process stops. */
  readonly drainMs: number;
};

/** When a replica counts as broken although its process runs, and how long starts that keep failing are refused. */
export type BreakerPolicy = {
  /** Calls in a row that failed or timed out. */
  readonly consecutiveFailures: number;
  /** Share of the calls within `windowMs` that failed or timed out, 1 to 100. */
  readonly failurePercent: number;
  /** Fewer calls within `windowMs` than this say nothing about a share. */
  readonly minCalls: number;
  readonly windowMs: number;
  /** So long starts for sessions and calls are refused, times how often in a row that happened ... */
  readonly ejectMs: number;
  /** ... up to this. */
  readonly maxEjectMs: number;
};

/** How a replica that says nothing is asked whether it still lives. */
export type HealthPolicy = {
  /** Silence after which a replica is asked, and between two questions; 0: never asked. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Answers in a row that a replacement has to give before it gets calls. */
  readonly rise: number;
  /** Questions in a row without an answer that a replica is replaced for. */
  readonly fall: number;
};

/** What can be set at run time for all servers at once, on top of the configuration. */
export type Tune = Partial<
  Pick<Balance, 'strategy'> & Pick<BreakerPolicy, 'consecutiveFailures' | 'ejectMs'>
>;

/** How calls are spread over the replicas of a pool; sharing `shared` and `call`. */
export type Balance = {
  readonly strategy: BalanceStrategy;
  /** Shares under `weighted`, by the number of the replica; 1 where none is given. */
  readonly weights: Readonly<Record<string, number>>;
  /** Calls one replica works on at a time, or null for no limit. */
  readonly maxInFlight: number | null;
  /** Calls that may wait for a replica. */
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** How long a replica that joins a running pool takes to get its full share; 0 for at once. */
  readonly slowStartMs: number;
};

export type BalanceStrategy =
  | 'least_connections'
  | 'peak_ewma'
  | 'round_robin'
  | 'weighted'
  | 'random'
  | 'consistent_hash';

/** How often calls are tried again that may be (docs/architecture.md, A second try). */
export type Retries = {
  /** Retries in percent of the calls of the last ten seconds. */
  readonly budgetPercent: number;
  /** Retries per second that are allowed beside those. */
  readonly minPerSecond: number;
  /** How often one call is tried in all. */
  readonly attempts: number;
};

/** How a changed server is replaced (docs/architecture.md, Rollouts). */
export type RolloutTimes = {
  /** New replicas have to stay up for so long before the old ones are given up. */
  readonly watchMs: number;
  /** Sessions on old replicas may go on for so long after the change. */
  readonly sessionsMs: number;
};

/** What every request to a server elsewhere carries; nothing for one that runs here. Values may be secrets. */
export function sourceHeaders(source: Source): Readonly<Record<string, string>> {
  return source.kind === 'url' ? source.headers : {};
}

/** The label of a source as users write it: `npm: "x@1"`. */
export function sourceLabel(source: Source): Record<string, string> {
  switch (source.kind) {
    case 'npm':
      return { npm: source.version === null ? source.name : `${source.name}@${source.version}` };
    case 'pypi':
      return { pypi: source.version === null ? source.name : `${source.name}==${source.version}` };
    case 'image':
      return { image: source.image };
    case 'build':
      return { build: source.path };
    case 'url':
      return { url: source.places.map(({ url }) => url).join(' ') };
  }
}
