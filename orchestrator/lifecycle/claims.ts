import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import { ANONYMOUS, GantryError } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import { inBackground } from './background.ts';
import type { ReplicaKeeper } from './replica-keeper.ts';
import type { ReplicaRecord } from './replica-record.ts';
import type { Running } from './running.ts';
import type { SessionReplicas } from './session-replicas.ts';
import type { Slot } from './slot.ts';

type Extra = { readonly running: Promise<Running>; lastUsedAt: number; cancelTimer: () => void };

/**
 * Under sharing `session` and `principal`: which replica serves whose calls outside sessions. A standing replica
 * belongs for good to the principal who came first, so that nobody sees what it did for somebody else; every
 * other principal gets an extra one, which ends when it has been idle for `sessionIdleMs`.
 */
export class Claims {
  readonly #spec: () => ServerSpec;
  readonly #slots: () => readonly Slot[];
  readonly #sessions: SessionReplicas;
  readonly #clock: Clock;
  readonly #facts: Facts;
  readonly #keep: (replica: Replica, claimedBy: string | null) => void;
  readonly #bySlot = new Map<Slot, string>();
  readonly #extras = new Map<string, Extra>();

  constructor(options: {
    spec: () => ServerSpec;
    slots: () => readonly Slot[];
    sessions: SessionReplicas;
    clock: Clock;
    facts: Facts;
    keeper: ReplicaKeeper;
    /** See `PoolOptions`. */
    revision: number;
  }) {
    this.#keep = (replica, claimedBy) => {
      const { keeper, spec, revision } = options;
      void keeper.keep(replica, { spec: spec(), revision, claimedBy });
    };
    this.#spec = options.spec;
    this.#slots = options.slots;
    this.#sessions = options.sessions;
    this.#clock = options.clock;
    this.#facts = options.facts;
  }

  /** @throws GantryError no_replica, replica_failed */
  async heldFor(principal: string): Promise<Replica> {
    const slot = this.#slotOf(principal);
    if (slot !== null) return this.#standing(slot);
    return (await this.#extraFor(principal).running).replica;
  }

  /**
   * A place is about to serve. What serves everybody is kept for the next start of the orchestrator, and what somebody
   * has used; one that nobody has used holds nothing that a new one has not.
   */
  cameUp(slot: Slot, { replica }: Running, record: ReplicaRecord | null): void {
    const { sharing } = this.#spec();
    const owner = this.#bySlot.get(slot) ?? record?.claimedBy ?? null;
    if (owner !== null) this.#bySlot.set(slot, owner);
    if (owner !== null || sharing === 'shared' || sharing === 'call') this.#keep(replica, owner);
  }

  forget(slot: Slot): void {
    this.#bySlot.delete(slot);
  }

  /** Those beyond the standing ones end as soon as nothing is in flight on them: nobody asks for them any more. */
  endAll(): void {
    for (const extra of this.#extras.values()) {
      extra.cancelTimer();
      extra.running.then((running) => this.#end(running, 'server changed'), ignore);
    }
  }

  #slotOf(principal: string): Slot | null {
    for (const [slot, owner] of this.#bySlot) if (owner === principal) return slot;
    if (this.#extras.has(principal)) return null;
    const { data } = this.#spec();
    if (data !== null && principal !== ANONYMOUS) return null;
    const free = this.#slots().filter((slot) => !this.#bySlot.has(slot));
    const ready = free.find((slot) => slot.phase.name === 'up');
    if (ready !== undefined) this.#claim(ready, principal);
    // One that is not up is claimed by nobody yet; asking it says why there is no replica.
    return ready ?? free[0] ?? null;
  }

  #claim(slot: Slot, principal: string): void {
    this.#bySlot.set(slot, principal);
    if (slot.running !== null) this.#keep(slot.running.replica, principal);
  }

  #standing(slot: Slot): Replica {
    const replica = slot.running?.replica;
    if (slot.phase.name === 'up' && replica?.available === true) return replica;
    const { name } = this.#spec();
    const state = replica?.state.name ?? slot.phase.name;
    throw new GantryError(
      'no_replica',
      `The replica of server ${name} that serves these calls is ${state}. Its reason: GET /api/v1/servers/${name}.`,
      { detail: { server: name, replica: slot.id, state, retryAfterMs: 1000 } },
    );
  }

  #extraFor(principal: string): Extra {
    const present = this.#extras.get(principal);
    if (present !== undefined) {
      present.lastUsedAt = this.#clock.now();
      return present;
    }
    const extra: Extra = {
      running: this.#sessions.openGreeted(principal),
      lastUsedAt: this.#clock.now(),
      cancelTimer: () => {},
    };
    this.#extras.set(principal, extra);
    const over = (): void => {
      extra.cancelTimer();
      if (this.#extras.get(principal) === extra) this.#extras.delete(principal);
    };
    extra.running.then((running) => {
      running.ended.then(over, over);
      this.#endWhenIdle(extra, running);
    }, over);
    return extra;
  }

  #endWhenIdle(extra: Extra, running: Running): void {
    const { sessionIdleMs } = this.#spec().timeouts;
    // Callers without sessions keep a replica and do not ask for it with each call, so its calls count too.
    const idleMs = Math.min(running.replica.idleMs, this.#clock.now() - extra.lastUsedAt);
    if (idleMs >= sessionIdleMs) {
      return this.#end(running, 'idle');
    }
    extra.cancelTimer = this.#clock.after(sessionIdleMs - idleMs, () => this.#endWhenIdle(extra, running));
  }

  #end(running: Running, why: string): void {
    const { name, timeouts } = this.#spec();
    const ending = this.#sessions.end(running, why, timeouts.drainMs);
    inBackground(this.#facts, `replica of a principal of ${name}`, ending);
  }
}

function ignore(): void {
  // It never came up; whoever asked for it knows why.
}
