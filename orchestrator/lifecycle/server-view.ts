import {
  type RolloutView,
  type ServerSpec,
  type ServerView,
  sourceHeaders,
  sourceLabel,
} from '../kernel/index.ts';
import type { Running } from './running.ts';
import type { ServerPool } from './server-pool.ts';

export type ServerParts = {
  /** The one that serves. */
  readonly pool: ServerPool;
  /** Its own definition, or the one that is to take its place. */
  readonly spec: ServerSpec;
  /** Containers of other revisions of this server, which come up or end. */
  readonly others: readonly Running[];
  readonly rollout: RolloutView | null;
  readonly url: string;
};

/** A server as the API shows it (docs/api.md, Server), without what only `session` and `routing` can count. */
export type MeshServerView = Omit<ServerView, 'sessions' | 'callsQueued'>;

export function serverView(parts: ServerParts): MeshServerView {
  const { pool, spec, others } = parts;
  const { derived, slots, sessions, spares, prepared, rest } = pool;
  const resolved = prepared?.resolved ?? null;
  const standing = slots.flatMap((slot) => (slot.running === null ? [] : [slot.running]));
  const ups = slots.flatMap((slot) => (slot.phase.name === 'up' ? [slot.phase] : []));
  const ready = ups.filter((phase) => phase.running.replica.state.name === 'ready');
  const [best] = [...ready, ...ups];
  const handshake = best?.running.replica.handshake ?? null;
  const all = [...standing, ...sessions, ...spares.all, ...others];
  const desired = spec.replicas === pool.spec.replicas ? pool.desired : spec.replicas;
  return {
    name: spec.name,
    state: derived.state,
    reason: derived.reason,
    nextTryAt: derived.nextTryAt === null ? null : new Date(derived.nextTryAt).toISOString(),
    origin: spec.origin,
    source: {
      ...sourceLabel(spec.source),
      ...(resolved === null ? {} : { resolved }),
    },
    sharing: spec.sharing,
    network: spec.network,
    resources: spec.resources,
    breaker: spec.breaker,
    health: spec.health,
    envKeys: Object.keys(spec.env),
    headerKeys: Object.keys(sourceHeaders(spec.source)),
    replicas: {
      desired,
      ready: ready.length,
      total: all.length,
      min: spec.replicas,
      max: spec.scaling.max,
      spare: spares.all.length,
    },
    idle: rest === 'awake' ? null : rest,
    callsInFlight: all.reduce((sum, { replica }) => sum + replica.callsInFlight, 0),
    balance: spec.balance,
    retries: spec.retries,
    era: pool.eras.known?.era ?? null,
    protocolVersion: handshake?.protocolVersion ?? null,
    capabilities: handshake?.capabilities ?? {},
    serverInfo: handshake?.serverInfo ?? {},
    toolCount: pool.tools.length,
    url: parts.url,
    dependsOn: spec.dependsOn,
    rollout: parts.rollout,
  };
}
