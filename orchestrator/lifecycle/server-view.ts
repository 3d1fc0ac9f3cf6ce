import { type ServerSpec, type ServerView, sourceLabel } from '../kernel/index.ts';
import type { Running } from './running.ts';
import type { DerivedState } from './server-state.ts';
import type { Slot } from './slot.ts';

export type ServerParts = {
  readonly spec: ServerSpec;
  readonly derived: DerivedState;
  readonly desired: number;
  readonly slots: readonly Slot[];
  readonly sessions: readonly Running[];
  readonly era: ServerView['era'];
  readonly toolCount: number;
  readonly resolved: string | null;
  readonly url: string;
};

/** A server as the API shows it (docs/api.md, Server), without what only `session` and `routing` can count. */
export type MeshServerView = Omit<ServerView, 'sessions' | 'callsQueued'>;

export function serverView(parts: ServerParts): MeshServerView {
  const { spec, derived, slots, sessions } = parts;
  const standing = slots.flatMap((slot) => (slot.running === null ? [] : [slot.running]));
  const ups = slots.flatMap((slot) => (slot.phase.name === 'up' ? [slot.phase] : []));
  const ready = ups.filter((phase) => phase.running.replica.state.name === 'ready');
  const [best] = [...ready, ...ups];
  const handshake = best?.running.replica.handshake ?? null;
  return {
    name: spec.name,
    state: derived.state,
    reason: derived.reason,
    nextTryAt: derived.nextTryAt === null ? null : new Date(derived.nextTryAt).toISOString(),
    origin: spec.origin,
    source: {
      ...sourceLabel(spec.source),
      ...(parts.resolved === null ? {} : { resolved: parts.resolved }),
    },
    sharing: spec.sharing,
    network: spec.network,
    resources: spec.resources,
    breaker: spec.breaker,
    health: spec.health,
    envKeys: Object.keys(spec.env),
    replicas: { desired: parts.desired, ready: ready.length, total: standing.length + sessions.length },
    callsInFlight: [...standing, ...sessions].reduce((sum, { replica }) => sum + replica.callsInFlight, 0),
    balance: spec.balance,
    retries: spec.retries,
    era: parts.era,
    protocolVersion: handshake?.protocolVersion ?? null,
    capabilities: handshake?.capabilities ?? {},
    serverInfo: handshake?.serverInfo ?? {},
    toolCount: parts.toolCount,
    url: parts.url,
  };
}
