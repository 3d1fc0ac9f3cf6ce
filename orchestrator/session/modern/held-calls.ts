import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/index.ts';
import type { AskingCall } from './asking-call.ts';
import type { Leased } from './replicas.ts';
import { type StateOwner, type StateSeal, stateRefused } from './request-state.ts';

/** How long a client may take to answer: a person reads and types. The replica is blocked for so long. */
export const ANSWER_WITHIN_MS = 10 * 60_000;

/** So many may one principal leave open at a server; the oldest give way, because nobody may come back for them. */
const MAX_PER_PRINCIPAL = 64;

export type HeldCall = { readonly call: AskingCall; readonly lease: Leased };

/** Calls that wait for their client to come back with answers. */
export class HeldCalls {
  readonly #clock: Clock;
  readonly #seal: StateSeal;
  readonly #held = new Map<string, HeldCall & { whose: string; cancelTimer: () => void }>();

  constructor(clock: Clock, seal: StateSeal) {
    this.#clock = clock;
    this.#seal = seal;
  }

  get size(): number {
    return this.#held.size;
  }

  /** @returns the state that finds this very call again, once. */
  hold(held: HeldCall, owner: StateOwner): string {
    const handle = randomUUID();
    const whose = JSON.stringify([owner.server, owner.principal]);
    const others = [...this.#held].filter(([, other]) => other.whose === whose);
    if (others.length >= MAX_PER_PRINCIPAL) this.#giveUp(others[0]?.[0] ?? '', 'too many calls wait');
    const cancelTimer = this.#clock.after(ANSWER_WITHIN_MS, () =>
      this.#giveUp(handle, 'abandoned by its client'),
    );
    this.#held.set(handle, { ...held, whose, cancelTimer });
    return this.#seal.seal(handle, owner, ANSWER_WITHIN_MS);
  }

  /** @throws GantryError request_state_refused */
  take(state: unknown, owner: StateOwner): HeldCall {
    const handle = this.#seal.open(state, owner);
    const held = this.#held.get(handle);
    if (held === undefined) throw stateRefused('expired');
    this.#held.delete(handle);
    held.cancelTimer();
    return held;
  }

  close(): void {
    for (const handle of [...this.#held.keys()]) this.#giveUp(handle, 'the orchestrator is stopping');
  }

  #giveUp(handle: string, why: string): void {
    const held = this.#held.get(handle);
    this.#held.delete(handle);
    held?.cancelTimer();
    held?.call.cancel(why);
    held?.lease.discard(why);
  }
}
