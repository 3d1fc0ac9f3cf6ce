import {
  type Clock,
  type EraVerdict,
  Facts,
  GantryError,
  type ServerSpec,
  speaks,
  systemClock,
  type ToolView,
} from '../../orchestrator/kernel/index.ts';
import { Replica } from '../../orchestrator/replica/index.ts';
import type { ReplicaOptions } from '../../orchestrator/replica/replica-identity.ts';
import type { Pools } from '../../orchestrator/routing/index.ts';
import { FakeChannel } from './fake-channel.ts';
import { neverTrips } from './policies.ts';
import { SERVER_DEFAULTS } from './server-defaults.ts';

export const TEST_SPEC: ServerSpec = {
  ...SERVER_DEFAULTS,
  name: 'echo',
  source: { kind: 'image', image: 'echo:1', command: null },
  maxSessions: 3,
  timeouts: { readyMs: 1000, callTimeoutMs: 1000, maxCallMs: 10_000, sessionIdleMs: 5000, drainMs: 1000 },
};

/** A replica whose process is played by the test, over its channel. */
export type PlayedReplica = { readonly replica: Replica; readonly channel: FakeChannel };

/** Pools without containers: replicas over fake channels, and a record of what was released. */
export class FakePools implements Pools {
  readonly specs = new Map<string, ServerSpec>();
  readonly opened: PlayedReplica[] = [];
  readonly released: { readonly id: string; readonly why: string }[] = [];
  readonly facts = new Facts();
  /** That of the replicas made from now on. */
  clock: Clock = systemClock;
  pool: Replica[] = [];
  toolList: readonly ToolView[] = [];
  /** What every server here speaks. */
  verdict: EraVerdict = { era: 'legacy', mixed: false };
  /** Answers what a fresh process is asked; the test may replace it. */
  play: (channel: FakeChannel) => void = answersInitialize;

  constructor(...specs: ServerSpec[]) {
    for (const spec of specs) this.specs.set(spec.name, spec);
  }

  spec(server: string): ServerSpec | null {
    return this.specs.get(server) ?? null;
  }

  standing(): readonly Replica[] {
    return this.pool;
  }

  tools(): readonly ToolView[] {
    return this.toolList;
  }

  async era(): Promise<EraVerdict> {
    return this.verdict;
  }

  async speaksLegacy(): Promise<boolean> {
    return speaks(this.verdict, 'legacy');
  }

  async openForSession(server: string): Promise<Replica> {
    if (this.opened.length - this.released.length >= (this.spec(server)?.maxSessions ?? 0)) {
      throw new GantryError('no_replica', 'too many sessions', { detail: { retryAfterMs: 1000 } });
    }
    return this.make(server, `${server}-s-${this.opened.length}`, 'session').replica;
  }

  asleep(): null {
    return null;
  }

  wake(): null {
    return null;
  }

  async heldFor(server: string, principal: string): Promise<Replica> {
    const id = `${server}-${principal}`;
    const held = this.pool.find(({ identity }) => identity.id === id);
    if (held !== undefined) return held;
    const { replica } = this.make(server, id, 'pool');
    await replica.greetIn(speaks(this.verdict, 'legacy') ? 'legacy' : 'modern', 1000);
    this.pool.push(replica);
    return replica;
  }

  /** What an earlier start left, by replica. */
  readonly left = new Map<string, Replica>();
  readonly kept: string[] = [];

  async adopted(_server: string, replicaId: string): Promise<Replica | null> {
    return this.left.get(replicaId) ?? null;
  }

  async keep({ identity }: Replica): Promise<void> {
    this.kept.push(identity.id);
  }

  async release(replica: Replica, why: string): Promise<void> {
    this.released.push({ id: replica.identity.id, why });
    replica.stopped();
  }

  /** The channel of the next replica. */
  channel: () => FakeChannel = () => new FakeChannel();

  make(
    server: string,
    id: string,
    heldBy: 'pool' | 'session',
    lasting: NonNullable<ReplicaOptions['lasting']> = {},
  ): PlayedReplica {
    const channel = this.channel();
    this.play(channel);
    const identity = { server, id, generation: 1, containerId: id, heldBy, restarts: 0, startedAt: '' };
    const played = {
      channel,
      replica: new Replica({
        identity,
        channel,
        facts: this.facts,
        clock: this.clock,
        breaker: neverTrips,
        lasting,
      }),
    };
    this.opened.push(played);
    return played;
  }
}

/** A process that completes the handshake and echoes every other request as its result. */
export function answersInitialize(channel: FakeChannel): void {
  channel.onSent = ({ id, method, params }) => {
    if (id === undefined || method === undefined) return;
    if (method === 'initialize') {
      const capabilities = { tools: { listChanged: true }, logging: {}, resources: { subscribe: true } };
      channel.print({
        id,
        result: { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'echo', version: '1' } },
      });
    } else if (method !== 'stay/silent') {
      channel.print({ id, result: { method, params: params ?? null } });
    }
  };
}
